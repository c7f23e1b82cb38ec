"""Every block of `docs/deploy.md`, in order, as root types it, in a folder in the place of `/`.

Not run, but taken by programs that only write down their call (`stand_ins.py`): packages of the
system, systemd's units, a cluster. An image is not built either; what its container is asked, the
installed bot answers, with the settings and secrets that the engine would give it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bot import __version__
from sandbox.appliance import SimulatedAppliance
from sandbox.slack import LocalSlack
from tests.whole.readme import stand_ins
from tests.whole.readme.shell import INSTALL_SECONDS, fill, say

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
BLOCKS = [
    block.strip() for block in re.findall(r"(?ms)^```sh host\n(.*?)^```$", PAGE)
]  # in the order of the page
DEBIAN, RHEL, INSTALL, SECRETS, CHECK, START, *_ = BLOCKS
IMAGE, MAKE_SECRETS, RUN, QUADLET, DEMO = BLOCKS[6:11]
CLUSTER_SECRETS, APPLY, BACKUP, RESTART = BLOCKS[11:]
FOLDERS = ("/opt/vr-unpair", "/etc/", "/usr/local/sbin", "/var/lib/vr-unpair")
"""What the page and its files have in `/`."""

pytestmark = pytest.mark.timeout(2 * INSTALL_SECONDS)


class Host:
    """A root folder, programs of the host, and the two servers that the bot is to reach."""

    def __init__(self, folder: Path, appliance: SimulatedAppliance, slack: LocalSlack) -> None:
        self.root, self.programs = folder / "root", folder / "programs"
        for name in ("etc/systemd/system", "etc/containers/systemd", "usr/local/sbin", "opt"):
            (self.root / name).mkdir(parents=True)
        self.programs.mkdir()
        self.state = folder / "state"
        stand_ins.install(self.programs, self.state)
        people = [slack.add_person(name) for name in ("Alan", "Anna")]
        channel = slack.add_channel("dr-operations")
        appliance.add_pairing("berlin", "prague")
        self.secrets = [slack.bot_token, slack.app_token, appliance.password]
        self.settings = {
            "SLACK_API_URL": slack.api_url,
            "VR_HOST": appliance.host,
            "VR_USERNAME": appliance.username,
            "VR_FINGERPRINT": appliance.fingerprint,
            "APPROVERS": ",".join(people),
            "CHANNELS": channel,
            "DRY_RUN": "true",
            "PORT": "0",
        }

    def here(self, text: str) -> str:
        for folder in FOLDERS:
            text = text.replace(folder, f"{self.root}{folder}")
        return text

    def types(self, folder: Path, block: str, *answers: str, **more: str) -> str:
        path = f"{self.root}/usr/local/sbin:{self.programs}:{os.environ['PATH']}"
        typed = "".join(f"{answer}\n" for answer in answers)
        return say(folder, self.here(block), shell="/bin/bash", typed=typed, PATH=path, **more)

    @property
    def calls(self) -> list[str]:
        return (self.state / "calls").read_text().splitlines()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with SimulatedAppliance() as appliance, LocalSlack() as slack:
        yield Host(tmp_path, appliance, slack)


def test_systemd(host: Host, released: Path, tmp_path: Path) -> None:
    release = tmp_path / "release"
    shutil.copytree(released, release)
    for packages in (DEBIAN, RHEL):
        host.types(release, packages)
    host.types(release, INSTALL)
    settings = host.root / "etc/vr-unpair/settings.env"
    fill(settings, **host.settings)
    assert settings.stat().st_mode & 0o077 == 0
    host.types(release, SECRETS, *host.secrets)
    for secret in (host.root / "etc/vr-unpair/secrets").iterdir():
        assert secret.stat().st_mode & 0o077 == 0
        assert secret.read_text() in host.secrets
    script = host.root / "usr/local/sbin/vr-unpair"
    script.write_text(host.here(script.read_text()))
    unit = (host.root / "etc/systemd/system/vr-unpair.service").read_text()
    (program,) = re.findall(r"(?m)^ExecStart=(\S+)", unit)
    assert os.access(host.here(program), os.X_OK)

    checked = host.types(release, f"{CHECK} || true")
    wrong = [line for line in checked.splitlines() if line.startswith("wrong")]
    assert [line.split()[1] for line in wrong] == ["database:"], checked
    assert "slack-channel" in checked
    host.types(release, START)

    (host.root / "var/lib/vr-unpair").mkdir(parents=True)
    assert stand_ins.serves([str(script), "run"], {"PATH": os.environ["PATH"]})
    assert "wrong" not in host.types(release, CHECK)
    host.types(tmp_path, BACKUP)
    assert (tmp_path / "before.db").stat().st_size
    kept = settings.read_text()
    host.types(release, INSTALL)
    assert settings.read_text() == kept
    host.types(release, RESTART)
    assert [call for call in host.calls if call.startswith("systemctl")] == [
        "systemctl daemon-reload",
        "systemctl enable --now vr-unpair",
        "systemctl status --no-pager vr-unpair",
        "systemctl restart vr-unpair",
    ]


def test_a_container(host: Host, clone: Path) -> None:
    more = {"VR_UNPAIR_OF_THE_TEST": str(clone / ".venv/bin/vr-unpair")}
    manifest = host.types(clone, IMAGE, **more).partition("display_information:")
    assert yaml.safe_load("".join(manifest[1:]))["settings"]["socket_mode_enabled"] is True
    fill(clone / "settings.env", **host.settings)
    host.types(clone, MAKE_SECRETS, *host.secrets, **more)
    said = host.types(clone, RUN, **more)
    assert "wrong" not in said
    assert "slack-channel" in said
    assert said.endswith("No requests.\n")
    host.types(clone, QUADLET, **more)
    host.types(clone, DEMO, **more)
    assert (host.root / "etc/vr-unpair/settings.env").stat().st_mode & 0o077 == 0
    # The quadlet takes the secrets that were made, and the image of that name.
    quadlet = (host.root / "etc/containers/systemd/vr-unpair.container").read_text()
    made = {call.split()[3] for call in host.calls if call.startswith("podman secret create")}
    assert set(re.findall(r"(?m)^Secret=(\w+),", quadlet)) == made
    assert f"Image=localhost/vr-unpair:{__version__}\n" in quadlet
    (built, demo) = (call for call in host.calls if call.startswith("podman build"))
    assert f"--tag vr-unpair:{__version__} " in built
    assert "--target demo" in demo
    (clone / "settings.env").unlink()


def test_kubernetes(host: Host, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT / "deploy", source / "deploy")
    host.types(source, CLUSTER_SECRETS, *host.secrets, "postgresql+psycopg://…")
    kubernetes = source / "deploy/kubernetes"
    wanted = (kubernetes / "kustomization.yaml").read_text().partition("secretGenerator")[2]
    made = {f"secrets/{file.name}" for file in (kubernetes / "secrets").iterdir()}
    assert made == set(re.findall(r"secrets/\w+", wanted))
    host.types(source, APPLY)
    assert host.calls[0] == "kubectl apply --kustomize deploy/kubernetes"
