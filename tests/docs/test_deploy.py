"""The files in `deploy/`: sound, naming only settings that there are, as shut as the docs say."""

from __future__ import annotations

import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bot import __version__
from bot.settings import setting_names
from tools.bench.installed import ENVIRONMENT

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
OF_THE_PROCESS = {
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "SECRETS_DIR",
    "PATH",
    *ENVIRONMENT,
}
OF_PIP = {"PIP_NO_CACHE_DIR", "PIP_DISABLE_PIP_VERSION_CHECK"}
SHUT = (
    "DynamicUser=yes",
    "CapabilityBoundingSet=",
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "PrivateUsers=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectControlGroups=yes",
    "RestrictNamespaces=yes",
    "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "MemoryDenyWriteExecute=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "UMask=0077",
)
SECRETS = {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "VR_PASSWORD"}


def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes.yml").read_text(encoding="utf-8")))


def pod() -> dict[str, Any]:
    (deployment,) = [m for m in manifests() if m["kind"] == "Deployment"]
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize("manifest", manifests(), ids=lambda m: m["kind"])
def test_kubernetes_takes_it(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_a_misspelt_field_would_be_found() -> None:
    wrong = {**manifests()[-1], "spec": {"minAvailble": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, kubernetes_validate.latest_version(), strict=True)


def test_probes_ask_what_they_are_for() -> None:
    (container,) = pod()["containers"]
    paths = {
        kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("liveness", "readiness")
    }
    assert paths == {"liveness": "/healthz", "readiness": "/readyz"}
    assert container["image"].endswith(f":{__version__}")
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod()["terminationGracePeriodSeconds"] > 10


def test_settings_are_those_that_there_are_and_secrets_are_files() -> None:
    (config,) = [m["data"] for m in manifests() if m["kind"] == "ConfigMap"]
    unit = (DEPLOY / "vr-unpair.service").read_text(encoding="utf-8")
    container = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    given = set(re.findall(r"\b([A-Z][A-Z_]{3,})=", unit + container)) | set(config)
    assert given <= set(setting_names()) | OF_THE_PROCESS | OF_PIP
    assert not given & SECRETS
    loaded = set(
        re.findall(r"^LoadCredential=(\w+):/etc/vr-unpair/secrets/\1$", unit, re.MULTILINE)
    )
    assert loaded == {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "VR_PASSWORD"}


def test_what_is_measured_is_started_as_the_deployments_start_it() -> None:
    for name in ("deploy/vr-unpair.service", "deploy/Containerfile", "Procfile"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for setting, value in ENVIRONMENT.items():
            assert f"{setting}={value}\n" in text or f"{setting}={value} python" in text, name


def test_the_unit_ends_where_a_restart_changes_nothing() -> None:
    unit = ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "vr-unpair.service", encoding="utf-8")
    assert unit["Service"]["RestartPreventExitStatus"] == "2"
    assert unit["Service"]["ExecStart"].endswith("/vr-unpair run")
    assert int(unit["Service"]["TimeoutStopSec"]) > 10


def test_the_unit_is_shut() -> None:
    """Each line, wherever this runs; and the figure of the docs where systemd is, with a little
    room, since each version of systemd weighs anew."""
    path = DEPLOY / "vr-unpair.service"
    lines = set(path.read_text(encoding="utf-8").splitlines())
    assert set(SHUT) <= lines
    said = re.search(r"exposure (\d\.\d) of 10", (ROOT / "docs/deploy.md").read_text("utf-8"))
    assert said is not None
    if systemd_analyze := shutil.which("systemd-analyze"):
        threshold = round(float(said[1]) * 10) + 3  # in tenths; above it the command fails
        command = [systemd_analyze, "security", "--offline=true", "--no-pager"]
        done = subprocess.run(
            [*command, f"--threshold={threshold}", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2_000:] + done.stderr


def test_the_image_is_made_of_what_is_pinned_and_has_no_root() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    assert "--require-hashes -r requirements/build.txt -r requirements/run.txt" in text
    last = text.rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in last
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for path in source.split():
            assert (ROOT / path).exists(), path


def test_the_docs_name_each_secret_file_of_kubernetes() -> None:
    files = "`SLACK_BOT_TOKEN`, `SLACK_APP_TOKEN`, `VR_PASSWORD` and `DATABASE_URL`"
    assert files in (ROOT / "docs/deploy.md").read_text("utf-8")
    written = (DEPLOY / "kubernetes.yml").read_text(encoding="utf-8")
    assert files.replace("`", "").replace(" and", ",") in written


def test_whom_to_trust_is_a_value_to_be_made_ones_own() -> None:
    """Appliances come with a self-signed certificate: without it the bot trusts nobody there."""
    lines = (DEPLOY / "kubernetes.yml").read_text(encoding="utf-8").splitlines()
    marked = {line.split(":")[0].strip() for line in lines if "# yours" in line}
    assert marked == {"VR_HOST", "VR_USERNAME", "VR_FINGERPRINT", "APPROVERS", "image"}
