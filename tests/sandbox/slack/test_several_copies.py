"""The local Slack before several copies of a bot: in turn, and past those that are down."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from bot.sandbox.slack import LocalSlack


@contextmanager
def a_copy(status: int = 200) -> Iterator[tuple[str, list[bytes]]]:
    """Its address, and what came to it."""
    heard: list[bytes] = []

    class Copy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name is the library's
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    server = HTTPServer(("127.0.0.1", 0), Copy)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/slack/events", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_in_turn_and_past_one_that_is_down() -> None:
    with LocalSlack() as slack, a_copy() as (here, heard), a_copy() as (there, also_heard):
        user, channel = slack.add_person("rita"), slack.add_channel("dr")
        with a_copy() as (gone, _):
            pass
        slack.courier.request_urls = [here, there]
        assert all(slack.command(user, "help", channel=channel).ok for _ in range(4))
        assert (len(heard), len(also_heard)) == (2, 2)
        slack.courier.request_urls = [gone, here, there]
        assert all(slack.command(user, "help", channel=channel).ok for _ in range(6))
        assert len(heard) + len(also_heard) == 10


def test_what_one_has_refused_goes_to_no_other() -> None:
    with LocalSlack() as slack, a_copy(500) as (bad, heard), a_copy() as (good, also_heard):
        user, channel = slack.add_person("rita"), slack.add_channel("dr")
        slack.courier.request_urls = [bad, good]
        done = [slack.command(user, "help", channel=channel).error for _ in range(2)]
        assert sorted(done, key=str) == [None, "dispatch_failed"]
        assert (len(heard), len(also_heard)) == (1, 1)
