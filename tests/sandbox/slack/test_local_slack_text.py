"""Who is really called, and a thread as plain text."""

from __future__ import annotations

import pytest
from slack_sdk import WebClient

from sandbox.slack import Json, LocalSlack, Message, mentions, render_thread
from tests.sandbox.slack.slack_kit import OPS, actions, button, section


def message(text: str = "", *blocks: Json) -> Message:
    return Message(ts="1.000001", channel="C1", text=text, blocks=list(blocks), user="U1")


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("hi <@U0ANN> and <@W0BOB|bob>", {"U0ANN", "W0BOB"}),
        ("<!channel> <!here|here> <!everyone>", {"!channel", "!here", "!everyone"}),
        ("<!subteam^S0SRE> <!subteam^S0DBA|@dba>", {"S0SRE", "S0DBA"}),
        ("&lt;!channel&gt; &lt;@U0ANN&gt;", set()),
        ("&amp;lt;!channel&amp;gt;", set()),
        ("@channel @here @ann", set()),
        ("<!date^1800000000^{time}|then> <#C1|ops> <https://x.test/!channel>", set()),
        ("< !channel> <!channel", set()),
        ("`<!channel>`", {"!channel"}),
        ("a <@U0ANN>", {"U0ANN"}),
    ],
)
def test_mentions(text: str, called: set[str]) -> None:
    assert mentions(message(text)) == called
    assert mentions(message("x", section(text))) == called
    context = {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}
    assert mentions(message("x", context)) == called
    fields = {"type": "section", "fields": [{"type": "mrkdwn", "text": text}]}
    assert mentions(message("x", fields)) == called


def test_plain_text_calls_nobody_and_text_and_blocks_are_one() -> None:
    header = {"type": "header", "text": {"type": "plain_text", "text": "<!channel>"}}
    assert mentions(message("x", header, actions(button(text="<@U0ANN>")))) == set()
    assert mentions(message("<@U0ANN>", section("<@U0BOB>"))) == {"U0ANN", "U0BOB"}


def test_a_thread_as_text(slack: LocalSlack, client: WebClient) -> None:
    ann = slack.add_person("Ann Ash")
    group = slack.add_group("sre", [ann])
    blocks: list[Json] = [
        {"type": "header", "text": {"type": "plain_text", "text": "Break pairing?"}},
        section(f"*Who:* <@{ann}> &lt;b&gt; &amp;amp; <!date^1^{{time}}|at noon>\nsecond line"),
        {"type": "section", "fields": [{"type": "plain_text", "text": "Site A"}]},
        {"type": "divider"},
        actions(button("a", text="Approve"), button("d", text="Deny")),
        {"type": "context", "elements": [{"type": "mrkdwn", "text": f"<!subteam^{group}>"}]},
    ]
    ts = client.chat_postMessage(channel=OPS, text="fallback", blocks=blocks)["ts"]
    reply = client.chat_postMessage(
        channel=OPS, text=f"<#{OPS}> <https://x.test/|docs> <!here>", thread_ts=ts
    )["ts"]
    client.chat_update(channel=OPS, ts=reply, text="done <https://x.test/>")
    assert render_thread(slack, OPS, ts) == "\n".join(
        [
            "#ops",
            "vr-unpair  08:00:00",
            "BREAK PAIRING?",
            "*Who:* @Ann Ash <b> &amp; at noon",
            "second line",
            "Site A",
            "-" * 40,
            "[ Approve ] [ Deny ]",
            "· @sre",
            "",
            "    vr-unpair  08:00:00  (edited)",
            "    done https://x.test/",
        ]
    )
