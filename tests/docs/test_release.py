"""The bill of materials of a release: every library of requirements/run.txt."""

from __future__ import annotations

import re
from pathlib import Path

from bot import __version__
from tools.sbom import bill

LOCKED = (Path(__file__).parents[2] / "requirements" / "run.txt").read_text(encoding="utf-8")


def test_it_names_each_library_at_its_version_with_its_hashes() -> None:
    pinned = dict(re.findall(r"(?m)^([a-z0-9-]+)==([^ ]+)", LOCKED))
    found = {part["name"]: part for part in bill()["components"]}
    assert {name: part["version"] for name, part in found.items()} == pinned
    for name, part in found.items():
        assert part["purl"] == f"pkg:pypi/{name}@{pinned[name]}"
        hashes = [one["value"] for one in part["properties"] if one["name"].startswith("sha256")]
        assert hashes
        assert all(f"--hash=sha256:{one}" in LOCKED for one in hashes)


def test_what_needs_what_is_among_them() -> None:
    document = bill()
    refs = {part["bom-ref"] for part in document["components"]}
    own = document["metadata"]["component"]
    assert own["version"] == __version__
    needs = {each["ref"]: set(each["dependsOn"]) for each in document["dependencies"]}
    assert set(needs) == {own["bom-ref"], *refs}
    assert set().union(*needs.values()) <= refs
    (bolt,) = (ref for ref in refs if "slack-bolt" in ref)
    (sdk,) = (ref for ref in refs if "slack-sdk" in ref)
    assert bolt in needs[own["bom-ref"]]
    assert sdk in needs[bolt]


def test_the_licence_of_nearly_each_is_known() -> None:
    """Of what is not installed on this system, by its marker, nothing is known."""
    without = {part["name"] for part in bill()["components"] if "licenses" not in part}
    assert without <= {"colorama", "tzdata"}
