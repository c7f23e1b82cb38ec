"""The README followed word for word in an empty folder, and the same with the wheel alone: install,
configure, check, run, one story.

Only Slack's own pages cannot be walked; the two sandbox servers stand for Slack and the appliance.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bot import __version__
from sandbox.appliance import SimulatedAppliance
from sandbox.bot_process import BotProcess
from sandbox.slack import LocalSlack
from tests.whole.readme.shell import INSTALL_SECONDS, PATIENCE_SECONDS, environment, fill, run, say

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
STEPS = re.findall(r"(?m)^```sh\n(.*?)^```$", README.partition("## Set it up")[2], re.DOTALL)
RELEASE, SOURCE, MANIFEST, FINGERPRINT, CONFIGURE, CHECK, RUN = (step.strip() for step in STEPS)
"""In this order; each is run below as it stands there."""

SETTINGS = set(re.findall(r"(?m)^([A-Z_]+)=", README.partition("**7. Write the settings.**")[2]))
"""What the README has one fill in."""

DEMO = "make demo"

SENTENCES = (
    "It is your own request, so your click was not counted. Somebody else must decide.",
    "Dry run: nothing will be deleted.",
    "One approval starts the dry run at once.",
    "Dry run: all was right up to the delete, which was not sent.",
    "`DRY_RUN` is on; the pairing is untouched.",
    "For the real thing, have `DRY_RUN` switched off, then ask again.",
)
"""Of *Your first dry run*: what one reads there is what one will read."""

pytestmark = pytest.mark.timeout(2 * INSTALL_SECONDS)


class Console(BotProcess):
    """The bot as an operator starts it: the installed script, in its folder, with its `.env`."""

    def __init__(self, folder: Path) -> None:
        super().__init__({}, folder)
        self.environment = environment()

    def command(self) -> list[str]:
        program, command = RUN.split()
        return [str(self.folder / program), command]


@pytest.fixture(scope="module")
def unpacked(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release and no source beside it; then the README's way to install that."""
    folder = tmp_path_factory.mktemp("release") / "as it came"
    shutil.copytree(released, folder)
    say(folder, RELEASE)
    return folder


@pytest.fixture(scope="module")
def plain(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel in a virtual environment, installed as `pipx` would, and no more."""
    folder = tmp_path_factory.mktemp("wheel")
    (wheel,) = released.glob("*.whl")
    say(folder, f"{sys.executable} -m venv .venv")
    say(folder, f".venv/bin/python -m pip install --quiet {wheel}")
    return folder


def test_make_demo_plays_the_story(clone: Path) -> None:
    assert "the pairing is gone, DELETE was sent 1 time(s)" in say(clone, DEMO)


def test_the_manifest_is_one(clone: Path) -> None:
    over_socket = yaml.safe_load(say(clone, MANIFEST))
    assert over_socket["settings"]["socket_mode_enabled"] is True
    over_http = yaml.safe_load(say(clone, f"{MANIFEST} --url https://YOUR-HOST"))
    assert over_http["settings"]["socket_mode_enabled"] is False
    assert "https://YOUR-HOST/slack/events" in str(over_http)


def test_a_release_is_whole_and_the_same_again(clone: Path, released: Path) -> None:
    sums = (released / "SHA256SUMS").read_text(encoding="utf-8")
    listed = dict(reversed(line.split("  ")) for line in sums.splitlines())
    assert sorted(listed) == [
        f"vr-unpair-{__version__}-deploy.tar.gz",
        f"vr-unpair-{__version__}-requirements.txt",
        f"vr-unpair-{__version__}.cdx.json",
        f"vr_unpair-{__version__}-py3-none-any.whl",
    ]
    for name, digest in listed.items():
        assert hashlib.sha256((released / name).read_bytes()).hexdigest() == digest
    # Signed with what every machine has: the arguments are those of ssh-keygen(1).
    say(
        clone.parent,
        "ssh-keygen -q -t ed25519 -N '' -f key && echo \"me $(cat key.pub)\" > signers",
    )
    say(clone, "make release ENGINE= SIGN='ssh-keygen -q -Y sign -f ../../key -n vr-unpair'")
    assert (released / "SHA256SUMS").read_text(encoding="utf-8") == sums
    verify = "ssh-keygen -Y verify -f ../../signers -I me -n vr-unpair -s SHA256SUMS.sig"
    say(released, f"{verify} < SHA256SUMS")


@pytest.mark.long
def test_without_its_extra_the_demo_says_so(plain: Path) -> None:
    done = subprocess.run(
        [".venv/bin/vr-unpair", "demo", "--scripted"], cwd=plain, env=environment(),
        capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("The demo is not installed here (No module named ")
    assert "[demo]" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_release_of_which_a_byte_was_changed_is_not_installed(unpacked: Path) -> None:
    (wheel,) = unpacked.glob("*.whl")
    was = wheel.read_bytes()
    wheel.write_bytes(was + b" ")
    done = run(unpacked, RELEASE)
    wheel.write_bytes(was)
    assert done.returncode != 0
    assert "FAILED" in done.stdout
    assert "Collecting" not in done.stdout


FOLDERS = {"release": "unpacked", "source": "clone", "http": "clone", "wheel": "plain"}


@pytest.mark.parametrize(
    "way", ["release", *(pytest.param(w, marks=pytest.mark.long) for w in list(FOLDERS)[1:])]
)
def test_configured_checked_and_run(way: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(FOLDERS[way])
    with SimulatedAppliance(task_seconds=1.0) as appliance, LocalSlack() as slack:
        rita, alan = slack.add_person("Rita"), slack.add_person("Alan")
        channel = slack.add_channel("dr-operations")
        pairing = appliance.add_pairing(local="berlin", remote="prague")
        say(folder, CONFIGURE)
        assert (folder / ".env").stat().st_mode & 0o077 == 0
        address = FINGERPRINT.replace("vr.example.net:443", appliance.host)
        assert say(folder, address).strip().endswith(f"={appliance.fingerprint}")
        way_in = {"SLACK_APP_TOKEN": slack.app_token}
        if way == "http":
            way_in = {"SLACK_SIGNING_SECRET": slack.signing_secret}
        settings = dict(
            SLACK_BOT_TOKEN=slack.bot_token,
            SLACK_API_URL=slack.api_url,
            VR_HOST=appliance.host,
            VR_USERNAME=appliance.username,
            VR_PASSWORD=f"'{appliance.password}'",
            VR_FINGERPRINT=appliance.fingerprint,
            APPROVERS=f"{rita},{alan}",
            CHANNELS=channel,
            DRY_RUN="true",
            HOST="127.0.0.1",
            PORT="0",
            LOG_FORMAT="json",
            **way_in,
        )
        assert way == "http" or settings.keys() >= SETTINGS
        fill(folder / ".env", **settings)
        assert run(folder, CONFIGURE).returncode != 0, "pasted again it keeps what was filled in"
        checked = say(folder, CHECK)
        assert "wrong" not in checked
        assert "slack-channel" in checked, "the /invite is proved"
        for dry_run in (True, False):
            fill(folder / ".env", DRY_RUN=str(dry_run).lower())
            with Console(folder) as bot:
                if way == "http":
                    slack.request_url = f"{bot.url}/slack/events"
                else:
                    slack.mode = "socket"
                    slack.wait_for(lambda: slack.sockets.usable, PATIENCE_SECONDS)
                read = ask_and_approve(slack, rita, alan, channel, "vcenter-prague.example.net")
                for sentence in SENTENCES:
                    assert sentence in " ".join(README.split())
                    assert (sentence in read) is (dry_run or sentence == SENTENCES[0])
                assert bot.stop() == 0
            assert (pairing in appliance.pairings) is dry_run
        assert len(appliance.deletes) == 1
    for name in ("vr-unpair.db", ".env"):
        (folder / name).unlink()


def ask_and_approve(slack: LocalSlack, rita: str, alan: str, channel: str, server: str) -> str:
    """The first dry run as the README tells it. All that was read in it."""
    before = {message.ts for message in slack.messages(channel)}
    slack.command(rita, f"{server} a first try", channel=channel)
    card = slack.wait_for_message(
        channel,
        lambda m: m.ts not in before and m.button("unpair_approve") is not None,
        timeout_seconds=PATIENCE_SECONDS,
    )
    slack.click(rita, card, "unpair_approve")
    slack.wait_for(
        lambda: any(SENTENCES[0] in e.all_text for e in slack.ephemerals(rita)), PATIENCE_SECONDS
    )
    slack.click(alan, card, "unpair_approve")
    final = slack.wait_for_message(
        channel, lambda m: f"<@{rita}>" in m.text, thread_ts=card.ts,
        timeout_seconds=PATIENCE_SECONDS,
    )  # fmt: skip
    answers = " ".join(e.all_text for e in slack.ephemerals(rita))
    return " ".join([answers, card.all_text, final.all_text]).replace("*", "")
