"""Answers of an appliance that was taken over, and a process that asks for all of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from bot.appliance.tls import ANSWER_MAX_BYTES
from bot.steady_clock import steady_seconds
from tests.appliance.small_server import Handler, Reply, Seen

MEGABYTE = 1024 * 1024
MOST = ANSWER_MAX_BYTES - 1_000
FACE = "\U0001f600"  # one such character makes Python keep four bytes for each of a text
FEW = 40
"""Megabytes of what is called endless: ten times what may be read."""

Hostile = Callable[[Seen], Reply]


def _raw(head: bytes, again: bytes) -> Hostile:
    def write(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(head)
        block = again * (MEGABYTE // len(again))
        for _ in range(FEW):
            handler.wfile.write(block)

    return lambda _: Reply(raw=write)


def _missing(seen: Seen) -> Reply:
    """As many errors as an answer can hold, other ones on each page."""
    first = int(seen.query.get("offset", ["0"])[0])
    errors = b",".join([b'{"code":"%d/%d"}' % (first, n) for n in range(120_000)])
    items = b",".join([b'{"pairing_id":"p-1","id":"r-%d"}' % (first + n) for n in range(100)])
    meta = b'"_meta":{"total":1000000,"errors":[' + errors + b"]}"
    return Reply(200, b'{"list":[' + items + b"]," + meta + b"}")


def _fat(seen: Seen) -> Reply:
    """A page, for ever: 500 items, each of them a pairing, a replication, an issue and a task, are
    as large as may be."""
    asked, first = (int(seen.query.get(name, ["1"])[0]) for name in ("limit", "offset"))
    text = "y" * 1_220 + FACE
    item = {
        "status": "RUNNING",
        **dict.fromkeys(("name", "entity", "entity_name"), text),
        "error": {"message": text, "details": text},
        "remote_vrms": {"id": text, "name": text, "server_status": text},
    }
    ids = [(f"p-{n}", f"{n:04}" + "z" * 250, text + str(n)) for n in range(first, first + asked)]
    names = "pairing_id", "id", "description"
    found = [{**item, **dict(zip(names, each, strict=True))} for each in ids]
    return Reply(200, {**found[0], "count": 3, "list": found, "_meta": {"total": 10**9}})


HOSTILE: dict[str, Hostile] = {
    "a body without an end": _raw(b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "a header without an end": _raw(b"HTTP/1.1 200 OK\r\nX: ", b"y"),
    "empty objects": lambda _: Reply(200, b'{"list":[' + b"{}," * 1_950_000 + b"{}]}"),
    "one text in four bytes for each of its letters": lambda _: Reply(
        200, ('{"name":"' + "x" * MOST + FACE + '"}').encode()
    ),
    "long texts for ever": _fat,
    "all of it missing, for ever": _missing,
}
"""By what is wrong. Each is the answer to every call but the log-in, and is made when it is asked
for: the process that is measured must not hold it."""

NUMBERS = dict(enumerate(HOSTILE))
"""The base path of each is `/h` and its number."""


def answer(seen: Seen, logged_in: Reply) -> Reply:
    """What it says at one of these base paths, and an honest one at any other."""
    _, base, *rest = seen.path.split("/")
    name = NUMBERS[int(base[1:])] if base[1:].isdigit() else ""
    if rest == ["session"] and seen.method == "POST":
        return logged_in
    return HOSTILE[name](seen) if name else Reply(200, {"version": "honest"})


def peak_megabytes() -> float:
    """The most memory that this process has had since it was last asked."""
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    Path("/proc/self/clear_refs").write_text("5")
    return int(peak.split()[1]) / 1024


def ask_for_everything(host: str, ca_file: str, numbers: list[int]) -> None:
    """Print, for each of these answers, the peak of this process, and how often an honest appliance
    has answered meanwhile."""
    # Imported here: the process that plays the appliance needs none of it.
    import bot.app  # noqa: F401  # the whole bot, on top of which such an answer comes
    from bot.appliance.appliance import Appliance
    from bot.appliance.budget import MemoryBudget, Priority
    from bot.appliance.tls import Trust
    from tests.appliance.clients import client_of

    trust = Trust.ca_file(ca_file)

    def client(base_path: str) -> Appliance:
        return client_of(host, trust, base_path=base_path, budget=MemoryBudget(1_000_000))

    honest = client("/honest")
    for number in numbers:
        peak_megabytes()
        port, by = client(f"/h{number}"), steady_seconds() + 60
        # A check, what comes before and after a DELETE, and a lookup, by three threads.
        effects: list[Callable[[], object]] = [
            partial(port.find_and_read, "p-1", by),
            partial(port.find_and_read, "nowhere", by),
            partial(port.read_to_act, "p-1", by),
            partial(port.delete, "p-1", force=False, send_by=by, by=by),
            partial(port.read_presence, "p-1", by, listed=True, task_id=None),
            partial(port.poll_task, "t-1", by),
            partial(port.list_pairings, by, count_at_most=0),
        ]
        answered = 0
        with ThreadPoolExecutor(3) as pool:
            asked = [pool.submit(effect) for effect in effects]
            while not answered or not all(each.done() for each in asked):
                assert honest.calls(Priority.CHECK).info().version == "honest"
                answered += 1
            for each in asked:
                each.result()
        port.close()
        told = {"name": NUMBERS[number], "peak": peak_megabytes(), "honest": answered}
        print(json.dumps(told), flush=True)
    honest.close()


if __name__ == "__main__":
    ask_for_everything(sys.argv[1], sys.argv[2], [int(number) for number in sys.argv[3:]])
