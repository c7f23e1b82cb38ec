"""The calls between a click and its DELETE made bare: kept connections, no rights, no store.

A process of its own, as the bot is one. On stdin one JSON object that names the two servers, then
the id of one pairing per line; for each it answers with the second (epoch) at which it began.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlencode

from tools.bench.processes import ROOT, python

if TYPE_CHECKING:
    from tools.bench.worlds import Ports, World

FORM = "application/x-www-form-urlencoded"


class Kept:
    """Calls on one kept HTTP connection, as cheap as Python has it: what is measured is the other
    side. Raises RuntimeError for an answer that is no 2xx."""

    def __init__(self, port: int, ca_file: str | None = None) -> None:
        host = "127.0.0.1"
        self._connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection(
                host, port, timeout=10, context=ssl.create_default_context(cafile=ca_file)
            )
            if ca_file
            else http.client.HTTPConnection(host, port, timeout=10)
        )

    def call(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> str:
        """The answer's text."""
        self._connection.request(method, path, body, dict(headers))
        # A server that writes head and body apart would have its second packet wait for our
        # acknowledgement of the first, which Linux holds back for 40 ms.
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        answer = self._connection.getresponse()
        said = answer.read()
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:200]!r}")
        return said.decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()


def main() -> None:
    where = json.loads(sys.stdin.readline())
    base = where["base_path"]
    with (
        Kept(where["appliance_port"], where["ca_file"]) as appliance,
        Kept(where["slack_port"]) as slack,
    ):
        pair = f"{where['username']}:{where['password']}".encode()
        basic = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
        session = json.loads(appliance.call("POST", f"{base}/session", basic))["session_id"]
        mine = {"x-dr-session": session, "Accept": "application/json"}
        token = {"Authorization": f"Bearer {where['token']}", "Content-Type": FORM}
        who = urlencode({"user": where["user"]}).encode()

        def ask_slack() -> None:
            slack.call("POST", "/api/users.info", token, who)

        ask_slack()
        print("ready", flush=True)
        for line in sys.stdin:
            pairing = f"{base}/pairings/{quote(line.strip(), safe='')}"
            began = time.time()
            ask_slack()
            ask_slack()
            appliance.call("GET", pairing, mine)
            appliance.call("GET", f"{pairing}/replications/count", mine)
            appliance.call("GET", f"{pairing}/replications", mine)
            appliance.call("GET", f"{base}/tasks", mine)
            appliance.call("DELETE", f"{pairing}?force=false", mine)
            print(began, flush=True)


class BareCaller:
    """That process. `world` is who is called, under the ports `at`."""

    def __init__(self, world: World, at: Ports, process: subprocess.Popen[str]) -> None:
        self._world, self._process = world, process
        appliance, slack = world.appliance, world.slack
        where = {
            "appliance_port": at.appliance,
            "base_path": appliance.base_path,
            "ca_file": appliance.ca_file,
            "username": appliance.username,
            "password": appliance.password,
            "slack_port": at.slack,
            "token": slack.bot_token,
            "user": world.alan,
        }
        self._tell(json.dumps(where))

    def seconds_to_delete(self) -> float:
        """One pass through the calls, until the DELETE got to the appliance. Raises RuntimeError
        when the process has ended."""
        pairing = self._world.pairing()
        before = len(self._world.appliance.deletes)
        began = float(self._tell(pairing))
        return self._world.delete_after(before, pairing) - began

    def _tell(self, line: str) -> str:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the bare calls ended with {process.wait()}")
        return answer


@contextmanager
def bare_caller(world: World, at: Ports) -> Iterator[BareCaller]:
    with subprocess.Popen(
        [python(), "-m", "tools.bench.bare_calls"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield BareCaller(world, at, process)  # its end is the end of its stdin


if __name__ == "__main__":
    main()
