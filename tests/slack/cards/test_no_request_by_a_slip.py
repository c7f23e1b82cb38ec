"""What people type behind the command without meaning to ask for anything: it names no pairing."""

from __future__ import annotations

import pytest

from bot.request.pairing import Pairing, PairingUnresolved, Server, find
from bot.slack.receive.command_text import Ask, Preview, Wrong, parse

TYPED = [
    # single letters and halves of words
    *"h", "g", "e", "v", "i", "p", "0", "1", "a →", "→", "→ b", "-> b", "a ->", "a → b", "a -> b",
    "h me", "g now", "e e e", "ho", "vc", "prag", "prague", "rague", "Lisbon", "LISB", "isbo",
    "helsink", "helsinki", "ber", "berlin", "berlin helsinki", "berlin to helsinki",
    # parts of names and ids, and names with something more
    "vcenter", "vcenter-", "vcenter-prag", "center-prague", "vcenter-prague.", "vcenter-prague.ex",
    "vcenter-prague.example", "vcenter-prague.example.ne", "prague.example.net", "example.net",
    "net", ".net", "example", "vr-", "vr", "vr-pragu", "r-prague", "a1b2", "a1b2c3d", "a1b2c3d4-",
    "a1b2c3d4-0000", "0000", "00000000-0000", "xvcenter-prague", "vcenter-prague2",
    "vcenter_prague",
    "vcenter-prague?", "vcenter-prague!", "(vcenter-prague)", "10", "10.1", "10.1.2", "10 minutes?",
    # questions to colleagues
    "is anybody using this?", "who approves these?", "can somebody look at this please",
    "what does this do", "how do I use it", "why is prague red?", "what about lisbon", "please",
    "hello", "hi all", "good morning", "thanks", "ok", "yes", "no", "no!", "wait", "stop", "cancel",
    "undo", "never mind", "test", "testing 1 2 3", "ignore this", "sorry, wrong channel", "all",
    "everything", "any", "the one in prague", "this", "that one", "me", "now", "later", "tomorrow",
    # what a keyboard or a clipboard leaves
    "👍", "🔥 helsinki", ":fire:", "🙈", "*", "**", "`", "``", "'", ".", "..", "/", "//", "\\", "|",
    "%", "_", "-", "—", "%%", "*.example.net", "vcenter-*", "vcenter-.*", "^vcenter", "' OR 1=1 --",
    "<@U0ANNA|anna> can you", "<#C0DROPS|dr-operations>", "&lt;b&gt;", "null", "None", "undefined",
    "vcenter-prague → lisbon", "prague → berlin", "vcenter-prague → vcenter-berlin",
    "vcenter-berlin → prague", "vcenter-berlin → vcenter-", "berlin/prague", "/vr-unpair",
]  # fmt: skip


def pairing(number: int, remote: str) -> Pairing:
    servers = {
        "local_vc": "vcenter-berlin.example.net",
        "remote_vc": f"vcenter-{remote}.example.net",
        "local_vrms": "vr-berlin.example.net",
        "remote_vrms": f"vr-{remote}.example.net",
    }
    named = {field: Server(id=name, name=name) for field, name in servers.items()}
    return Pairing(id=f"a1b2c3d{number}-0000-0000-0000-000000000000", **named)


THERE = [pairing(n, remote) for n, remote in enumerate(("prague", "lisbon", "helsinki"), 4)]
BY_ADDRESS = Pairing(
    id="f", local_vc=Server(id="a", name="10.1.2.3"), remote_vc=Server(id="b", name="10.1.2.4")
)


@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("before", ["", "preview "])
def test_it_names_no_pairing(typed: str, before: str) -> None:
    try:
        parsed = parse(before + typed, command="/vr-unpair")
    except Wrong:
        return
    if not isinstance(parsed, Ask | Preview):
        return  # help, a list: no appliance is asked for a pairing
    for there in ([*THERE, BY_ADDRESS], [THERE[0], BY_ADDRESS]):
        found = find(parsed.pairing, there, label="only one has this")
        assert isinstance(found, PairingUnresolved)
        assert found.why == "none"
        assert 0 < len(found.near) <= 5
