"""A TCP proxy that holds back every byte: half of a round trip on the way there, half on the way
back. What is sent together arrives together, and TLS goes through as it is.

A process of its own, since the sandbox has the other one's interpreter busy:
`python -m tools.bench.delaying_proxy PORT MILLISECONDS` says on stdout where it listens, and ends
with its stdin.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tools.bench.processes import ROOT, python

CHUNK = 65_536


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Until one of the two ends, in order: timers of the same delay fire as they were set."""
    loop = asyncio.get_running_loop()
    with suppress(ConnectionError):
        while some := await reader.read(CHUNK):
            loop.call_later(delay, writer.write, some)
    loop.call_later(delay, writer.close)


async def _serve(port: int, round_trip: float) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(
            _carry(reader, there_writer, round_trip / 2),
            _carry(there_reader, writer, round_trip / 2),
        )

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


@contextmanager
def delayed(port: int, round_trip_ms: float) -> Iterator[int]:
    """The port that leads to this one, so far away."""
    with subprocess.Popen(
        [python(), "-m", "tools.bench.delaying_proxy", str(port), str(round_trip_ms)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 1000))
