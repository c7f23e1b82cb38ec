"""The files in `deploy/`: sound, naming only settings that there are, as shut as the docs say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from bot.__main__ import FOR_GOOD, WRONG_USE
from bot.settings.names import setting_names
from bot.stop import CLOSE_SECONDS, STOP_SECONDS
from tests.docs.test_kubernetes import kustomization, tool
from tools.bench.processes import ENVIRONMENT

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
SYSTEMD = DEPLOY / "systemd"
UNIT = SYSTEMD / "vr-unpair.service"
CONTAINERFILE = DEPLOY / "Containerfile"
OF_THE_PROCESS = {
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "SECRETS_DIR",
    "PATH",
    "HOME",
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
    "LimitCORE=0",
)
SECRETS = {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "VR_PASSWORD"}


def section(path: Path, name: str) -> dict[str, str]:
    """The last value of each line of a unit's section."""
    unit = ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(path, encoding="utf-8")
    return dict(unit[name])


def loaded(path: Path) -> set[str]:
    """The secrets that a unit or a drop-in names, each from the file of its own name."""
    text = path.read_text(encoding="utf-8")
    lines = re.findall(r"^LoadCredential=(\w+):(.*)$", text, re.MULTILINE)
    assert all(file == f"/etc/vr-unpair/secrets/{name}" for name, file in lines)
    return {name for name, _ in lines}


# ---- everywhere --------------------------------------------------------------------------------


def test_every_address_of_postgresql_is_verified() -> None:
    pages = [*(ROOT / "docs").rglob("*.md"), *DEPLOY.rglob("*"), ROOT / "README.md"]
    text = "".join(page.read_text("utf-8") for page in filter(Path.is_file, pages))
    addresses = re.findall(r"postgresql\+psycopg://\S*@\S+", text)
    assert addresses
    assert [each for each in addresses if "sslmode=verify-full" not in each] == []


def test_settings_are_those_that_there_are_and_secrets_are_files() -> None:
    files = [UNIT, SYSTEMD / "http.conf", CONTAINERFILE, DEPLOY / "vr-unpair.container"]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    text += (KUBERNETES / "settings.env").read_text(encoding="utf-8")
    given = set(re.findall(r"(?<![\w%{])([A-Z][A-Z_]{3,})=", text)) - {"BASE"}
    assert given <= set(setting_names()) | OF_THE_PROCESS | OF_PIP
    assert not given & SECRETS
    assert loaded(UNIT) == {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "VR_PASSWORD"}
    generated = {Path(file).name for file in kustomization()["secretGenerator"][0]["files"]}
    assert generated == {*loaded(UNIT), "DATABASE_URL"}
    quadlet = (DEPLOY / "vr-unpair.container").read_text(encoding="utf-8")
    assert set(re.findall(r"^Secret=(\w+),", quadlet, re.MULTILINE)) == loaded(UNIT)


def test_what_is_measured_is_started_as_the_deployments_start_it() -> None:
    for path in (UNIT, CONTAINERFILE, ROOT / "Procfile"):
        text = path.read_text(encoding="utf-8")
        for setting, value in ENVIRONMENT.items():
            assert f"{setting}={value}\n" in text or f"{setting}={value} python" in text, path.name


# ---- systemd -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [UNIT, DEPLOY / "vr-unpair.container"], ids=lambda p: p.name)
def test_only_what_no_restart_mends_is_not_tried_again(path: Path) -> None:
    service, unit = section(path, "Service"), section(path, "Unit")
    assert service["RestartPreventExitStatus"] == f"{WRONG_USE} {FOR_GOOD}"
    assert service["Restart"] == "always"
    assert unit["StartLimitIntervalSec"] == "0"
    assert int(service["TimeoutStopSec"]) > STOP_SECONDS + CLOSE_SECONDS


def test_systemd_is_told_how_the_bot_stands() -> None:
    service = section(UNIT, "Service")
    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) > STOP_SECONDS + CLOSE_SECONDS
    assert service["ExecStart"] == "/opt/vr-unpair/current/bin/vr-unpair run"


def test_drop_ins_name_every_secret_again() -> None:
    """A list can only be emptied as a whole."""
    secrets = {
        "http.conf": loaded(SYSTEMD / "http.conf"),
        "sites.conf": loaded(SYSTEMD / "sites.conf"),
    }
    assert secrets["http.conf"] == {"SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "VR_PASSWORD"}
    of_sites = {f"VR_SITES__{site}__PASSWORD" for site in ("BERLIN", "PRAGUE")}
    assert secrets["sites.conf"] == {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", *of_sites}
    for name in secrets:
        lines = (SYSTEMD / name).read_text(encoding="utf-8").splitlines()
        assert lines.index("LoadCredential=") < min(
            number for number, line in enumerate(lines) if line.startswith("LoadCredential=S")
        )


def test_the_units_are_read_without_a_complaint(tmp_path: Path) -> None:
    """By systemd itself: the program that is not installed here aside."""
    systemd_analyze = tool("systemd-analyze")
    for drop_in in (None, "http.conf", "sites.conf"):
        folder = tmp_path / str(drop_in)
        (folder / "vr-unpair.service.d").mkdir(parents=True)
        shutil.copy(UNIT, folder)
        if drop_in:
            shutil.copy(SYSTEMD / drop_in, folder / "vr-unpair.service.d")
        done = subprocess.run(
            [systemd_analyze, "verify", "--man=no", str(folder / UNIT.name)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:"},
        )
        said = [line for line in done.stderr.splitlines() if "is not executable" not in line]
        assert not [line for line in said if "vr-unpair" in line], said


def test_the_quadlet_is_as_shut_and_tells_how_it_stands() -> None:
    container = section(DEPLOY / "vr-unpair.container", "Container")
    assert container["Notify"] == "true"
    assert "--ulimit core=0" in container["PodmanArgs"]
    assert (container["ReadOnly"], container["DropCapability"]) == ("true", "all")


def test_the_unit_is_shut() -> None:
    assert set(SHUT) <= set(UNIT.read_text(encoding="utf-8").splitlines())


def test_the_unit_is_as_shut_as_the_page_says() -> None:
    """With a little room, since each version of systemd weighs anew."""
    said = re.search(r"exposure\s+(\d\.\d)\s+of\s+10", (ROOT / "docs/deploy.md").read_text("utf-8"))
    assert said is not None
    threshold = round(float(said[1]) * 10) + 3  # in tenths; above it the command fails
    command = [tool("systemd-analyze"), "security", "--offline=true", "--no-pager"]
    done = subprocess.run(
        [*command, f"--threshold={threshold}", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr


def test_the_commands_on_the_host_have_what_the_service_has() -> None:
    script = SYSTEMD / "vr-unpair"
    assert os.access(script, os.X_OK)
    subprocess.run(["sh", "-n", str(script)], check=True)
    text = script.read_text(encoding="utf-8")
    assert section(UNIT, "Service")["EnvironmentFile"] in text
    assert section(UNIT, "Service")["ExecStart"].removesuffix(" run") in text
    (database,) = re.findall(r"DATABASE_URL=(\S+)", UNIT.read_text(encoding="utf-8"))
    assert database in text


def test_the_commands_on_the_host_read_no_env_file_of_the_folder(tmp_path: Path) -> None:
    """Root may stand in anybody's folder: whoever wrote a .env there would get the tokens."""
    (tmp_path / ".env").write_text("SLACK_COMMAND=/of-somebody\n")
    (tmp_path / "settings.env").touch()
    (tmp_path / "secrets").mkdir()
    text = (SYSTEMD / "vr-unpair").read_text(encoding="utf-8")
    for there, here in (
        ("/etc/vr-unpair", str(tmp_path)),
        ("/opt/vr-unpair/current/bin/vr-unpair", f"{sys.executable} -m bot"),
    ):
        text = text.replace(there, here)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    wrapped = ["sh", "-c", text, "vr-unpair", "manifest"]
    said = subprocess.run(
        wrapped, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    )
    assert "/vr-unpair" in said.stdout
    assert "/of-somebody" not in said.stdout


# ---- the image ---------------------------------------------------------------------------------


def test_the_image_is_made_of_what_is_pinned_and_has_no_root() -> None:
    text = CONTAINERFILE.read_text(encoding="utf-8")
    assert "-r requirements/build.txt -r requirements/run.txt" in text
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert set(bases) == {"${BASE}", "build"}, "the base can be named by its digest, in one place"
    last = text.rpartition("\nFROM ")[2]
    assert " HOST=0.0.0.0 " in last, "a probe comes to the address of the pod"
    assert "\nUSER 10001:0\n" in last, "group 0: the folder is its, whatever the user"
    assert "install -d -o 10001 -g 0 -m 0770 /var/lib/vr-unpair" in last
    demo, lean = (
        text.partition(f" AS {stage}\n")[2].partition("\nFROM ")[0] for stage in ("demo", "lean")
    )
    assert text.count("COPY sandbox") == demo.count("COPY sandbox") == 1, "the lean image has none"
    assert "pip uninstall --yes setuptools pip" in lean
    assert "COPY --from=lean " in last


def test_only_what_is_copied_goes_to_the_engine() -> None:
    listed = (ROOT / ".containerignore").read_text(encoding="utf-8")
    assert (DEPLOY / "Containerfile.dockerignore").read_text(encoding="utf-8") == listed
    lines = [line for line in listed.splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    let = {line[1:] for line in lines if line.startswith("!")}
    text = CONTAINERFILE.read_text(encoding="utf-8")
    copied = {
        path.partition("/")[0]
        for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
        for path in sources.split()
    }
    assert copied == let
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for path in sources.split():
            assert (ROOT / path).exists(), path
