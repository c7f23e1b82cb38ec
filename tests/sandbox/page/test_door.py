"""Who may ask the page for what, and what its files may not do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.page import page_server
from sandbox.page.page_server import NoFreePort, Page
from sandbox.page.stage import Stage

FILES = [Path(page_server.__file__).with_name(f"page.{end}") for end in ("html", "js", "css")]
RITA = "U0RITA"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as entered:
        yield entered


@pytest.fixture(scope="module")
def url(stage: Stage) -> Iterator[str]:
    with Page(stage) as page:
        yield page.url


def act(url: str, **body: Any) -> requests.Response:
    return requests.post(f"{url}act", json=body, timeout=60)


def test_the_three_files_are_served_and_nothing_else(url: str) -> None:
    for path in ("", "page.js", "page.css"):
        answer = requests.get(url + path, timeout=60)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for path in ("page.html", "page_server.py", "..%2fpage_server.py", "api/auth.test"):
        assert requests.get(url + path, timeout=60).status_code == 404


def test_another_name_for_this_machine_is_refused(url: str) -> None:
    for host, status in (("evil.example.net", 400), ("localhost:1", 200), ("127.0.0.1", 200)):
        assert requests.get(url, headers={"Host": host}, timeout=60).status_code == status


def test_a_form_of_another_site_does_nothing(url: str, stage: Stage) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = requests.post(
            f"{url}act", data='{"do": "kill"}', headers={"Content-Type": kind}, timeout=10
        )
        assert answer.status_code == 415
    assert stage.bot.alive


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"do": "fly"},
        {"do": "say"},
        {"do": "say", "me": "U0NOBODY", "channel": "C0DROPS", "text": "hello"},
        {"do": "say", "me": RITA, "channel": "C0NOWHERE", "text": "/vr-unpair help"},
        {"do": "say", "me": RITA, "channel": "C0NOWHERE", "text": "hello"},
        {"do": "say", "me": [RITA], "channel": "C0DROPS", "text": "hello"},
        {"do": "click", "me": RITA, "channel": "C0DROPS"},
        {"do": "submit", "me": RITA, "view": "V1", "values": []},
        {"do": "switch", "name": "delete", "value": "999"},
        {"do": "switch", "name": "nothing", "value": "202"},
        {"do": "change", "pairing": "no-such", "change": "more"},
    ],
)
def test_what_the_page_never_sends_is_refused(url: str, body: dict[str, Any]) -> None:
    answer = act(url, **body)
    assert answer.status_code == 400
    assert answer.text.startswith("not understood:")


def test_what_is_no_object_is_refused(url: str) -> None:
    for body in ("[]", "{", "7"):
        answer = requests.post(
            f"{url}act", data=body, headers={"Content-Type": "application/json"}, timeout=10
        )
        assert answer.status_code == 400


@pytest.mark.parametrize(
    ("body", "note"),
    [
        ({"do": "submit", "view": "V1", "values": {}}, "Slack does not let you do that:"),
        ({"do": "say", "channel": "C0DROPS", "text": "/remind me"}, "Slack: /remind is not a"),
    ],
)
def test_what_slack_does_not_let_people_do_gets_a_sentence(
    url: str, body: dict[str, Any], note: str
) -> None:
    answer = act(url, me=RITA, **body).json()
    assert (answer["note"].startswith(note), answer["wrong"]) == (True, True)


def test_nobody_looks_as_somebody_unknown(url: str) -> None:
    assert requests.get(f"{url}live?me=U0NOBODY", timeout=60).status_code == 404


def test_no_other_port_to_be_had(stage: Stage) -> None:
    with Page(stage, 65_535) as last:
        if last.port == 65_535:
            with pytest.raises(NoFreePort), Page(stage, 65_535):
                raise AssertionError("two pages at one port")


def test_the_files_are_small_and_turn_no_foreign_text_into_markup() -> None:
    texts = {path.name: path.read_text("utf-8") for path in FILES}
    assert sum(len(text.splitlines()) for text in texts.values()) < 800
    script = texts["page.js"]
    assert not re.search(
        r"(inner|outer|Adjacent)HTML|document\.write|\beval\(|new Function", script
    )
    for name, text in texts.items():
        assert not re.search(
            r"""(src|href|url|import|from)\s*[=(]?\s*["'(]\s*(https?:)?//""", text
        ), name
    assert not re.search(r"\son\w+=|\sstyle=", texts["page.html"])
