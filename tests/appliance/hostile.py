"""Answers of an appliance that was taken over, and a process that asks for all of them."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot.appliance.tls import ANSWER_MAX_BYTES
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


def _listed(item: Callable[[int], object], many: int | None = None) -> Hostile:
    """A page, of as many as were asked for or of `many`; new items for ever."""

    def page(seen: Seen) -> Reply:
        asked = int(seen.query.get("limit", ["1"])[0])
        first = int(seen.query.get("offset", ["0"])[0])
        found = [item(first + n) for n in range(asked if many is None else many)]
        return Reply(200, {**ONE, "list": found, "_meta": {"total": 10**9}})

    return page


def _body(body: Callable[[], bytes], *, status: int = 200) -> Hostile:
    """Made when it is asked for: the process that is measured must not hold it."""
    return lambda _: Reply(status, body())


def _long_names(_: int) -> object:
    long = "x" * (2 * MEGABYTE) + FACE
    return {**ONE, "name": long, "local_vrms": {"id": long, "name": long}, "entity_name": long}


ONE = {"pairing_id": "p-1", "id": "t-1", "status": "RUNNING", "count": 3}


def _missing(seen: Seen) -> Reply:
    """As many errors as an answer can hold, other ones on each page."""
    first = int(seen.query.get("offset", ["0"])[0])
    errors = b",".join([b'{"code":"%d/%d"}' % (first, n) for n in range(120_000)])
    items = b",".join([b'{"pairing_id":"p-1","id":"r-%d"}' % (first + n) for n in range(100)])
    meta = b'"_meta":{"total":1000000,"errors":[' + errors + b"]}"
    return Reply(200, b'{"list":[' + items + b"]," + meta + b"}")


def _fat(n: int) -> object:
    """One item that is a pairing, a replication, an issue and a task: a page of 500 such is as
    large as may be."""
    text = "y" * 1_220 + FACE
    server = {"id": text, "name": text, "server_status": text}
    return {
        "pairing_id": f"p-{n}",
        "id": f"{n:04}" + "z" * 250,
        "status": "RUNNING",
        "name": text,
        "entity": text,
        "entity_name": text,
        "description": text + str(n),
        "error": {"message": text, "details": text},
        "remote_vrms": server,
    }


HOSTILE: dict[str, Hostile] = {
    "a body without an end": _raw(b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "a header without an end": _raw(b"HTTP/1.1 200 OK\r\nX: ", b"y"),
    "empty objects": _body(lambda: b'{"list":[' + b"{}," * (1_950_000) + b"{}]}"),
    "one text in four bytes for each of its letters": _body(
        lambda: ('{"name":"' + "x" * MOST + FACE + '"}').encode()
    ),
    "names of two megabytes": _listed(_long_names, many=1),
    "long texts for ever": _listed(_fat),
    "all of it missing, for ever": _missing,
    "an error as large as may be": _body(
        lambda: ('{"message":"' + "x" * (MOST) + FACE + '"}').encode(), status=500
    ),
}
"""By what is wrong. Each is the answer to every call but the log-in."""

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
    """Print, for each of these answers, the peak of this process, what was kept of them, and how
    often an honest appliance has answered meanwhile."""
    # Imported here: the process that plays the appliance needs none of it.
    import bot.app  # noqa: F401  # the whole bot, on top of which such an answer comes
    from bot.appliance.appliance import Appliance
    from bot.appliance.budget import MemoryBudget, Priority
    from bot.appliance.tls import Trust
    from tests.appliance.clients import client_of

    trust = Trust.ca_file(ca_file)

    def client(base_path: str) -> Appliance:
        return client_of(host, trust, base_path=base_path, budget=MemoryBudget(1_000_000))

    def all_at_once(port: Appliance) -> list[object]:
        """A check, what comes before and after a DELETE, and a lookup, by three threads."""
        by = time.monotonic() + 60
        effects: list[Callable[[], object]] = [
            lambda: port.find_and_read("p-1", by),
            lambda: port.find_and_read("nowhere", by),
            lambda: port.read_to_act("p-1", by),
            lambda: port.delete("p-1", force=False, send_by=by, by=by),
            lambda: port.read_tasks("p-1", by, listed=True, task_id=None),
            lambda: port.poll_task("t-1", by),
            lambda: port.list_pairings(by, count_at_most=0),
        ]
        with ThreadPoolExecutor(3) as pool:
            return [each.result() for each in [pool.submit(effect) for effect in effects]]

    honest = client("/honest")
    for number in numbers:
        peak_megabytes()
        begun = time.monotonic()
        over = threading.Event()
        answered = 0

        def meanwhile(over: threading.Event = over) -> None:
            nonlocal answered
            while not over.is_set() or not answered:
                assert honest.calls(Priority.CHECK).info().version == "honest"
                answered += 1

        hostile = client(f"/h{number}")
        with ThreadPoolExecutor(1) as beside:
            other = beside.submit(meanwhile)
            try:
                found = all_at_once(hostile)
            finally:
                over.set()
            other.result()
        hostile.close()
        told = {
            "name": NUMBERS[number],
            "peak": peak_megabytes(),
            "kept": max(len(repr(each)) for each in found),
            "honest": answered,
            "seconds": round(time.monotonic() - begun, 1),
        }
        print(json.dumps(told), flush=True)
    honest.close()


if __name__ == "__main__":
    ask_for_everything(sys.argv[1], sys.argv[2], [int(number) for number in sys.argv[3:]])
