"""`vr-unpair demo --scripted`: one whole story with the real bot, and its thread as text."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from sandbox.appliance import SimulatedAppliance
from sandbox.bot_process import BotProcess
from sandbox.slack import LocalSlack, render_thread

TASK_SECONDS = 4.0
PATIENCE_SECONDS = 60.0


def settings(appliance: SimulatedAppliance, slack: LocalSlack, approvers: str) -> dict[str, str]:
    """What `vr-unpair run` needs to speak to the two sandbox servers."""
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
        "VR_HOST": appliance.host,
        "VR_USERNAME": appliance.username,
        "VR_PASSWORD": appliance.password,
        "VR_CA_FILE": appliance.ca_file,
        "APPROVERS": approvers,
    }


def story(
    slack: LocalSlack,
    channel: str,
    requester: str,
    asked: str,
    approver: str,
    seconds: float,
    say: Callable[[str], None] = lambda _: None,
) -> str:
    """Asked, approved, and told to its end: the thread as text. Raises TimeoutError."""
    say(f"Rita types: /vr-unpair {asked}")
    slack.command(requester, asked, channel=channel)
    card = slack.wait_for_message(
        channel, lambda m: m.button("unpair_approve") is not None, timeout_seconds=seconds
    )
    say("The card is in the channel. Alan presses Approve.")
    slack.click(approver, card, "unpair_approve")
    say("Waiting for the task to end …")

    def told() -> bool:
        record, *replies = slack.thread(channel, card.ts)
        # The end is said twice, in the last reply and on the card, in either order.
        ended = "Ended" in record.all_text and all("RUNNING" not in r.all_text for r in replies)
        return ended and any(f"<@{requester}>" in m.text for m in replies)

    slack.wait_for(told, timeout_seconds=seconds)
    return render_thread(slack, channel, card.ts)


def leave_in_order() -> None:
    """Makes SIGTERM and SIGHUP an ordinary end: the bot and its folder must not stay behind."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))


def play(say: Callable[[str], None] = print) -> int:
    """0 only when the pairing is really gone at the appliance and exactly one DELETE got there."""
    with (
        tempfile.TemporaryDirectory(prefix="vr-unpair-demo-") as folder,
        SimulatedAppliance(task_seconds=TASK_SECONDS) as appliance,
        LocalSlack() as slack,
    ):
        pairing = appliance.add_pairing(local="berlin", remote="prague", replications=12)
        rita, alan = slack.add_person("Rita"), slack.add_person("Alan")
        channel = slack.add_channel("dr-operations")
        say("The sandbox appliance and the local Slack are up; starting the real bot …")
        own = {**settings(appliance, slack, alan), "VR_POLL_SECONDS": "1"}
        with BotProcess(own, Path(folder)) as bot:
            slack.request_url = f"{bot.url}/slack/events"
            try:
                asked = f"{pairing} moving to the new site, CHG0031337"
                thread = story(slack, channel, rita, asked, alan, PATIENCE_SECONDS, say)
            except TimeoutError as late:
                say("\n".join((f"It did not end: {late}", "The bot's log:", *bot.lines)))
                return 1
            say(f"\n{thread}\n")
        gone, sent = pairing not in appliance.pairings, len(appliance.deletes)
        there = "gone" if gone else "STILL THERE"
        say(f"At the appliance: the pairing is {there}, DELETE was sent {sent} time(s).")
        return 0 if gone and sent == 1 else 1
