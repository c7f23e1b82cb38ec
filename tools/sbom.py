"""`make release`: what the bot runs on, as a CycloneDX bill of materials (ECMA-424, version 1.6).

`python -m tools.sbom FILE` writes it from `requirements/run.txt`: every library at the version, and
with the hashes, with which the bot was tested and the image is built. Licences and what needs what
are read from the libraries that are installed here. The same sources give the same file.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from bot import __version__

ROOT = Path(__file__).parents[1]
RUN = ROOT / "requirements" / "run.txt"

Json = dict[str, Any]
_PINNED = re.compile(
    r"^(?P<name>[a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==(?P<version>[^ ]+)(?: ; (?P<where>[^\\]+))?", re.M
)
_NEEDS = re.compile(r"[A-Za-z0-9._-]+")


def bill() -> Json:
    """The whole document."""
    parts = list(_components(RUN.read_text(encoding="utf-8")))
    own = f"pkg:pypi/vr-unpair@{__version__}"
    known = {part["name"]: part["bom-ref"] for part in parts}
    body = {
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "vr-unpair",
                "version": __version__,
                "purl": own,
                "licenses": [{"license": {"id": "BSD-2-Clause"}}],
            }
        },
        "components": parts,
        "dependencies": [
            {"ref": own, "dependsOn": sorted(known[name] for name in _direct())},
            *({"ref": part["bom-ref"], "dependsOn": _needs(part["name"], known)} for part in parts),
        ],
    }
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}
    return {**head, "serialNumber": f"urn:uuid:{number}", **body}


def _components(locked: str) -> list[Json]:
    found = []
    for entry in re.split(r"\n(?=[a-z])", locked):
        pin = _PINNED.match(entry)
        if pin is None:
            continue
        purl = f"pkg:pypi/{pin['name']}@{pin['version']}"
        component: Json = {
            "type": "library",
            "bom-ref": purl,
            "name": pin["name"],
            "version": pin["version"],
            "purl": purl,
        }
        if licence := _licence(pin["name"]):
            component["licenses"] = [licence]
        # One hash for each file in which this version comes: which of them is installed depends on
        # the machine. CycloneDX has `hashes` for one file only, so they stand with the properties.
        hashes = sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
        component["properties"] = [{"name": "sha256 of a file", "value": one} for one in hashes]
        if pin["where"]:
            where = pin["where"].strip()
            component["properties"].append({"name": "only where", "value": where})
        found.append(component)
    return found


def _direct() -> list[str]:
    wanted = (RUN.with_suffix(".in")).read_text(encoding="utf-8")
    return re.findall(r"(?m)^([a-z][a-z0-9-]*)", wanted)


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None  # of another system, by its marker


def _licence(name: str) -> Json | None:
    found = _installed(name)
    if found is None:
        return None
    expression = found.metadata["License-Expression"]
    if expression:
        return {"expression": expression}
    classified = [
        line.rpartition(" :: ")[2]
        for line in found.metadata.get_all("Classifier") or []
        if line.startswith("License :: ")
    ]
    written = (found.metadata["License"] or "").strip()
    said = written if written and "\n" not in written else ", ".join(classified)
    return {"license": {"name": said}} if said else None


def _needs(name: str, known: dict[str, str]) -> list[str]:
    found = _installed(name)
    wanted = [_NEEDS.match(line) for line in (found.requires if found else None) or []]
    names = {re.sub(r"[-_.]+", "-", one[0]).lower() for one in wanted if one}
    return sorted(known[one] for one in names if one in known and one != name)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(json.dumps(bill(), indent=2) + "\n", encoding="utf-8")
    print(f"  {target}: {len(bill()['components'])} libraries")
