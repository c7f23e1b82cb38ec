"""`deploy/kubernetes`: sound, put together, and as shut as the docs say."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bot import __version__
from bot.stop import CLOSE_SECONDS, STOP_SECONDS
from tools import rules

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
NOT_OF_KUBERNETES = {"PodMonitor", "PrometheusRule"}
"""Kinds that the Prometheus operator brings: there is no schema of them here."""


def kustomization(folder: str = "") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(
        (KUBERNETES / folder / "kustomization.yaml").read_text(encoding="utf-8")
    )
    return found


def manifests() -> list[dict[str, Any]]:
    """Every object that is written out, those of the components too."""
    return [
        manifest
        for folder in ("", "http", "monitoring")
        for name in kustomization(folder)["resources"]
        for manifest in yaml.safe_load_all((KUBERNETES / folder / name).read_text(encoding="utf-8"))
    ]


def one(kind: str) -> dict[str, Any]:
    (found,) = (m for m in manifests() if m["kind"] == kind)
    return found


def pod() -> dict[str, Any]:
    found: dict[str, Any] = one("Deployment")["spec"]["template"]["spec"]
    return found


def tool(name: str) -> str:
    """A vendor's program; where it is not, the test is skipped by its name."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not on this machine; before a release it is run by hand")
    return path


@pytest.mark.parametrize(
    "manifest",
    [m for m in manifests() if m["kind"] not in NOT_OF_KUBERNETES],
    ids=lambda m: m["kind"],
)
def test_kubernetes_takes_it(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_what_is_generated_is_what_is_mounted_and_named() -> None:
    """There kustomize writes the names with their digests, so that a change restarts."""
    made = {g["name"] for g in kustomization()["configMapGenerator"]}
    secrets = {g["name"] for g in kustomization()["secretGenerator"]}
    (container,) = pod()["containers"]
    volumes = {v["name"]: v for v in pod()["volumes"]}
    assert {source["configMapRef"]["name"] for source in container["envFrom"]} <= made
    assert volumes["trust"]["configMap"]["name"] in made
    assert volumes["secrets"]["secret"]["secretName"] in secrets
    assert {m["name"] for m in container["volumeMounts"]} == set(volumes)
    assert "disableNameSuffixHash" not in str(kustomization())
    assert (KUBERNETES / "settings.env").is_file()


def test_kustomize_puts_it_together_where_it_is(tmp_path: Path) -> None:
    """With both components, and HTTP mode's secret, as their comments say."""
    kubectl = tool("kubectl")
    copy = tmp_path / "kubernetes"
    shutil.copytree(KUBERNETES, copy, ignore=shutil.ignore_patterns("secrets", "trust"))
    text = (copy / "kustomization.yaml").read_text(encoding="utf-8")
    text = text.replace("components: []", "components:").replace("# - ", "  - ")
    text = text.replace("SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")
    (copy / "kustomization.yaml").write_text(text, encoding="utf-8")
    for name in re.findall(r"(?:secrets|trust)/[\w.-]+", text):
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text("x", encoding="utf-8")
    done = subprocess.run(
        [kubectl, "kustomize", str(copy)], capture_output=True, text=True, check=True
    )
    kinds = sorted(m["kind"] for m in yaml.safe_load_all(done.stdout))
    made = ["ConfigMap", "ConfigMap", "Secret"]
    assert kinds == sorted([*made, *(m["kind"] for m in manifests())])


def test_probes_ask_what_they_are_for() -> None:
    (container,) = pod()["containers"]
    asked = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("liveness", "readiness")}
    assert {kind: probe["path"] for kind, probe in asked.items()} == {
        "liveness": "/healthz",
        "readiness": "/readyz",
    }
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {probe["port"] for probe in asked.values()} == {"operate"} == set(ports)
    assert f"OPERATE_PORT={ports['operate']}\n" in (KUBERNETES / "settings.env").read_text("utf-8")
    assert kustomization()["images"][0]["newTag"] == __version__


def test_a_pod_is_shut_and_leaves_its_user_to_the_platform() -> None:
    (container,) = pod()["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not re.search(r"runAsUser|runAsGroup|fsGroup", str(pod()))
    assert pod()["securityContext"]["runAsNonRoot"] is True
    (tmp,) = (v for v in pod()["volumes"] if "emptyDir" in v)
    assert tmp["emptyDir"]["sizeLimit"] == "16Mi"


def test_a_pod_goes_only_after_its_address_has() -> None:
    (container,) = pod()["containers"]
    command, seconds = container["lifecycle"]["preStop"]["exec"]["command"]
    assert command == "sleep"
    assert pod()["terminationGracePeriodSeconds"] > float(seconds) + STOP_SECONDS + CLOSE_SECONDS


def test_only_the_path_of_slack_is_reachable() -> None:
    (rule,) = one("Ingress")["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert (path["path"], path["pathType"]) == ("/slack/events", "Exact")
    (port,) = one("Service")["spec"]["ports"]
    assert path["backend"]["service"] == {"name": "vr-unpair", "port": {"name": port["name"]}}
    nginx = (DEPLOY / "proxy/nginx.conf").read_text(encoding="utf-8")
    assert re.findall(r"location (.*) {", nginx) == ["= /slack/events", "/"]
    assert "limit_except POST {" in nginx
    caddy = (DEPLOY / "proxy/Caddyfile").read_text(encoding="utf-8")
    assert re.findall(r"\t(method|path) (.*)", caddy) == [
        ("method", "POST"),
        ("path", "/slack/events"),
    ]


def test_the_operator_of_prometheus_gets_the_same_rules_and_the_port() -> None:
    written = (KUBERNETES / "monitoring/rules.yaml").read_text(encoding="utf-8")
    assert written == rules.as_object(), "make it anew: python -m tools.rules"
    assert one("PrometheusRule")["spec"] == yaml.safe_load((DEPLOY / "alerts.yml").read_text())
    (endpoint,) = one("PodMonitor")["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("operate", "/metrics")


def test_whom_to_trust_is_a_value_to_be_made_ones_own() -> None:
    """Appliances come with a self-signed certificate: without it the bot trusts nobody there."""
    page = (ROOT / "docs/deploy.md").read_text("utf-8").partition("## Kubernetes")[2]
    for name in ("VR_HOST", "VR_USERNAME", "VR_FINGERPRINT", "APPROVERS"):
        assert f"`{name}`" in page
        assert f"\n{name}=" in (KUBERNETES / "settings.env").read_text(encoding="utf-8")
