"""`python -m tools.rules`: deploy/alerts.yml in the form that the Prometheus operator takes."""

from __future__ import annotations

import textwrap
from pathlib import Path

DEPLOY = Path(__file__).parents[1] / "deploy"
HEAD = """\
# Made of deploy/alerts.yml by `python -m tools.rules`; what is said there holds here.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: vr-unpair
spec:
"""


def as_object() -> str:
    """The text of the whole object."""
    written = (DEPLOY / "alerts.yml").read_text(encoding="utf-8")
    groups = written[written.index("groups:") :]
    return HEAD + textwrap.indent(groups, "  ")


if __name__ == "__main__":
    target = DEPLOY / "kubernetes" / "monitoring" / "rules.yaml"
    target.write_text(as_object(), encoding="utf-8")
    print(target.relative_to(DEPLOY.parent))
