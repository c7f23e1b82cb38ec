"""What the settings of an appliance take and refuse."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import trustme

FINGERPRINT = "AB:" * 31 + "AB"


@pytest.fixture(scope="module")
def ca_pem() -> bytes:
    return trustme.CA().cert_pem.bytes()


def test_the_defaults(load_with: Any) -> None:
    site = load_with().sites["default"]
    assert site.host == "vr.example.test"
    assert site.base_path == "/api/rest/vr/v2"
    assert site.username == "unpair@vsphere.local"
    assert site.password.get_secret_value() == "the-local-password"
    assert site.remote_username is site.remote_password is None
    assert site.ca_file is site.fingerprint is None
    assert (site.poll_seconds, site.timeout_seconds, site.calls_per_minute) == (5.0, 10.0, 40)


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("VR_HOST", "vr:8443", "host", "vr:8443"),
        ("VR_HOST", "192.0.2.1", "host", "192.0.2.1"),
        ("VR_HOST", "[2001:db8::1]", "host", "[2001:db8::1]"),
        ("VR_HOST", "[2001:db8::1]:443", "host", "[2001:db8::1]:443"),
        ("VR_FINGERPRINT", FINGERPRINT, "fingerprint", "ab" * 32),
        ("VR_FINGERPRINT", "ab" * 32, "fingerprint", "ab" * 32),
        ("VR_BASE_PATH", "/vr/v1/", "base_path", "/vr/v1"),
        ("VR_POLL_SECONDS", "0.1", "poll_seconds", 0.1),
        ("VR_POLL_SECONDS", "0.25", "poll_seconds", 0.25),
        ("VR_POLL_SECONDS", ".5", "poll_seconds", 0.5),
        ("VR_TIMEOUT_SECONDS", "3", "timeout_seconds", 3.0),
        ("VR_CALLS_PER_MINUTE", "20", "calls_per_minute", 20),
        ("VR_CALLS_PER_MINUTE", "1000", "calls_per_minute", 1000),
        ("VR_PASSWORD", " a ${b} # c:d ", "password", " a ${b} # c:d "),
    ],
)
def test_taken(load_with: Any, name: str, text: str, field: str, value: object) -> None:
    found = getattr(load_with(**{name: text}).sites["default"], field)
    assert getattr(found, "get_secret_value", lambda: found)() == value


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("VR_HOST", "https://vr", "host or host:port"),
        ("VR_HOST", "vr/api", "host or host:port"),
        ("VR_HOST", "user@vr", "host or host:port"),
        ("VR_HOST", "2001:db8::1", "host or host:port"),
        ("VR_HOST", "[fe80::1%eth0]", "host or host:port"),
        ("VR_HOST", "[::1", "host or host:port"),
        ("VR_HOST", "[192.0.2.1]", "host or host:port"),
        ("VR_HOST", "192.0.2", "host or host:port"),
        ("VR_HOST", "300.0.0.1", "host or host:port"),
        ("VR_HOST", "vr:0", "host or host:port"),
        ("VR_HOST", "vr:70000", "host or host:port"),
        ("VR_HOST", "vr:", "host or host:port"),
        ("VR_HOST", ":443", "host or host:port"),
        ("VR_HOST", "a b", "host or host:port"),
        ("VR_HOST", "-vr", "host or host:port"),
        ("VR_USERNAME", "a:b", "without a colon"),
        ("VR_USERNAME", " ", "user's name"),
        ("VR_PASSWORD", "line\nend", "holds a line end"),
        ("VR_FINGERPRINT", "ab" * 20, "SHA-1"),
        ("VR_FINGERPRINT", "ab" * 31, "64 hexadecimal digits"),
        ("VR_FINGERPRINT", "zz" * 32, "64 hexadecimal digits"),
        ("VR_BASE_PATH", "api", "must be a path"),
        ("VR_BASE_PATH", "/", "must be a path"),
        ("VR_BASE_PATH", "/a/../b", "must be a path"),
        ("VR_BASE_PATH", "/a?b=c", "must be a path"),
        ("VR_POLL_SECONDS", "0", "from 0.1 to 3600, not '0'"),
        ("VR_POLL_SECONDS", "0.0005", "from 0.1 to 3600, not '0.0005'"),
        ("VR_POLL_SECONDS", "0.09", "from 0.1 to 3600"),
        ("VR_POLL_SECONDS", "3601", "from 0.1 to 3600"),
        ("VR_POLL_SECONDS", "nan", "not 'nan'"),
        ("VR_POLL_SECONDS", "inf", "not 'inf'"),
        ("VR_POLL_SECONDS", ".", "number of seconds"),
        ("VR_POLL_SECONDS", "5s", "number of seconds such as 5 or 0.5"),
        ("VR_TIMEOUT_SECONDS", "-1", "from 0.1 to 300"),
        ("VR_TIMEOUT_SECONDS", "301", "from 0.1 to 300"),
        ("VR_CALLS_PER_MINUTE", "19", "from 20 to 100000, not '19'"),
        ("VR_CALLS_PER_MINUTE", "100001", "from 20 to 100000"),
    ],
)
def test_refused(sentences_with: Any, name: str, text: str, says: str) -> None:
    found = sentences_with(**{name: text})
    assert list(found) == [name]
    assert found[name].startswith(name + " ")
    assert says in found[name]


def test_the_remote_login_is_both_or_neither(load_with: Any, sentences_with: Any) -> None:
    both = {"VR_REMOTE_USERNAME": "there", "VR_REMOTE_PASSWORD": "the-remote-password"}
    site = load_with(**both).sites["default"]
    assert site.remote_username == "there"
    assert site.remote_password.get_secret_value() == "the-remote-password"
    for name, value in both.items():
        found = sentences_with(**{name: value})
        assert list(found) == ["VR_REMOTE_PASSWORD"]
        assert "VR_REMOTE_USERNAME" in found["VR_REMOTE_PASSWORD"]
        assert "set both or neither" in found["VR_REMOTE_PASSWORD"]


def test_a_ca_file_is_read_from_the_working_directory(
    load_with: Any, tmp_path: Path, ca_pem: bytes
) -> None:
    (tmp_path / "ca.pem").write_bytes(ca_pem)
    for given in ("ca.pem", str(tmp_path / "ca.pem")):
        assert load_with(VR_CA_FILE=given).sites["default"].ca_file == tmp_path / "ca.pem"


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read"), (b"", "no certificate in PEM form"), (b"\x30\x82", "in PEM form")],
)
def test_a_ca_file_that_cannot_be_trusted(
    sentences_with: Any, tmp_path: Path, content: bytes | None, says: str
) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    assert says in sentences_with(VR_CA_FILE="ca.pem")["VR_CA_FILE"]


def test_a_folder_is_no_ca_file(sentences_with: Any) -> None:
    assert "cannot be read" in sentences_with(VR_CA_FILE=".")["VR_CA_FILE"]


def test_a_pipe_is_no_ca_file_and_is_not_waited_for(sentences_with: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ca.pem")
    assert "cannot be read" in sentences_with(VR_CA_FILE="ca.pem")["VR_CA_FILE"]


def test_one_kind_of_trust(sentences_with: Any, tmp_path: Path, ca_pem: bytes) -> None:
    (tmp_path / "ca.pem").write_bytes(ca_pem)
    found = sentences_with(VR_CA_FILE="ca.pem", VR_FINGERPRINT=FINGERPRINT)
    assert found == {
        "VR_FINGERPRINT": "VR_FINGERPRINT and VR_CA_FILE are both set: keep the one to trust."
    }
