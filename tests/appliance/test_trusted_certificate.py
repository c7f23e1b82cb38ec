"""Who is trusted, and that nobody else ever gets a byte of HTTP."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from bot.appliance.appliance import Appliance
from bot.appliance.budget import Priority
from bot.appliance.http_answers import TlsFailed
from bot.appliance.tls import Trust, certificate_end
from bot.request.problem import ProblemKind as Kind
from bot.steady_clock import steady_seconds
from tests.appliance.small_server import Reply, Server, Start, fails
from tests.support.proxy import Proxy


def pin_of(leaf: trustme.LeafCert) -> str:
    pem = leaf.cert_chain_pems[0].bytes().decode()
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def version(appliance: Appliance) -> str | None:
    return appliance.calls(Priority.CHECK).info().version


def refused(appliance: Appliance, server: Server) -> str:
    with fails(Kind.UNSENT) as caught:
        version(appliance)
    assert isinstance(caught.value, TlsFailed)
    server.settle()
    assert server.http_bytes == 0
    return str(caught.value)


def test_an_unknown_authority(
    connect: Callable[..., Appliance], server: Server, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    assert "not the server that is trusted" in refused(connect(trust=Trust.ca_file(other)), server)
    assert "not the server that is trusted" in refused(connect(trust=Trust.system()), server)
    server.settle(2)
    assert server.http_bytes == 0


def test_the_system_store_can_be_the_trust(
    connect: Callable[..., Appliance],
    server: Server,
    ca_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))  # OpenSSL's own way to name the store
    assert version(connect(trust=Trust.system())) == "9"


def test_another_host_name(
    connect: Callable[..., Appliance], start_server: Start, ca: trustme.CA
) -> None:
    server = start_server(ca.issue_cert("vr.example"))
    assert "mismatch" in refused(connect(host=server.host), server).lower()


def test_an_expired_certificate(
    connect: Callable[..., Appliance], start_server: Start, ca: trustme.CA
) -> None:
    old = ca.issue_cert("localhost", not_after=datetime(2021, 1, 1, tzinfo=UTC))
    server = start_server(old)
    assert "expired" in refused(connect(host=server.host), server)
    # The pin names this very certificate, so its date does not matter.
    assert version(connect(host=server.host, trust=Trust.fingerprint(pin_of(old)))) == "9"


def test_the_pin_alone_identifies_the_server(
    connect: Callable[..., Appliance], start_server: Start
) -> None:
    leaf = trustme.CA().issue_cert("some.other.name")
    server = start_server(leaf)
    pin = pin_of(leaf)
    colons = ":".join(pin[i : i + 2] for i in range(0, 64, 2)).upper()
    for text in (pin, colons):
        assert version(connect(host=server.host, trust=Trust.fingerprint(text))) == "9"


def test_a_wrong_pin_gets_not_one_byte(
    connect: Callable[..., Appliance], server: Server, leaf: trustme.LeafCert, ca: trustme.CA
) -> None:
    # A certificate of the right authority for the right name, but not the pinned one; and the
    # authority's own.
    authority = ssl.PEM_cert_to_DER_cert(ca.cert_pem.bytes().decode())
    for other in (pin_of(ca.issue_cert("localhost")), hashlib.sha256(authority).hexdigest()):
        words = refused(connect(trust=Trust.fingerprint(other)), server)
        assert pin_of(leaf) in words  # what it is, so that a person can compare
    server.settle(2)
    assert server.handshakes == 2  # the handshake itself was fine; the server then saw the end
    assert server.http_bytes == 0


def test_requests_own_switches_change_nothing(
    connect: Callable[..., Appliance],
    server: Server,
    ca_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(wrong))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(ca_file))
    refused(connect(trust=Trust.ca_file(wrong)), server)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(tmp_path / "missing.pem"))
    assert version(connect()) == "9"


def test_a_netrc_file_sends_no_credentials_and_cookies_do_not_travel(
    connect: Callable[..., Appliance],
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.on("GET", "/info", Reply(200, {}, headers={"Set-Cookie": "JSESSIONID=abc; Path=/"}))
    appliance = connect()
    for _ in range(2):
        version(appliance)
        assert server.seen[-1].headers.keys().isdisjoint({"authorization", "cookie"})


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    proxy = Proxy(server.server_address[1])
    yield proxy
    proxy.close()


def test_a_proxy_of_the_environment_and_the_pin_through_it(
    proxy: Proxy,  # it ends when the clients have
    connect: Callable[..., Appliance],
    server: Server,
    leaf: trustme.LeafCert,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.on("DELETE", "/pairings/p-1", Reply(202, {"id": "t-1", "status": "QUEUED"}))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    good = connect(trust=Trust.fingerprint(pin_of(leaf)))
    assert version(good) == "9"
    calls, send_by = good.calls(Priority.ACT), steady_seconds() + 5
    calls.prepare_delete("p-1")
    assert calls.delete_pairing("p-1", force=False, send_by=send_by).id == "t-1"
    assert [head.split()[0] for head in proxy.asked] == ["CONNECT"] * 2
    assert "x-dr-session" not in "".join(proxy.asked)
    before = server.http_bytes
    with fails(Kind.UNSENT):
        version(connect(trust=Trust.fingerprint("0" * 64)))
    server.settle(2)
    assert (server.http_bytes, len(proxy.asked)) == (before, 3)
    monkeypatch.setenv("NO_PROXY", "localhost")
    assert version(connect()) == "9"
    assert len(proxy.asked) == 3


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://u:proxypass@127.0.0.1:{closed}", "through the proxy 127.0.0.1:"),
        ("socks5://u:proxypass@127.0.0.1", "through the proxy 127.0.0.1:"),
        # Its name, not the appliance's, which it would look up itself.
        ("http://u:proxypass@no-such-proxy.invalid:3128", "the proxy no-such-proxy.invalid:3128"),
    ],
)
def test_a_proxy_of_no_use_is_named_without_its_password(
    connect: Callable[..., Appliance],
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    place: str,
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTPS_PROXY", url.format(closed=closed.getsockname()[1]))
        with fails(Kind.UNSENT) as caught:
            version(connect())
    assert place in str(caught.value)
    assert "proxypass" not in str(caught.value)
    assert server.http_bytes == 0


def test_the_pin_of_the_appliance_opens_no_other_door(
    connect: Callable[..., Appliance],
    server: Server,
    leaf: trustme.LeafCert,
    start_server: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # An https proxy has to show a certificate of a known authority: it is sent a password.
    impostor = start_server(leaf)
    monkeypatch.setenv("HTTPS_PROXY", f"https://user:proxypass@{impostor.host}")
    pinned = connect(trust=Trust.fingerprint(pin_of(leaf)))
    with pytest.raises(TlsFailed):
        version(pinned)
    impostor.settle()
    assert impostor.http_bytes == 0


@pytest.mark.parametrize("year", [2026, 2049, 2050, 2071])
def test_when_a_certificate_ends(year: int) -> None:
    """From 2050 on certificates write the year in four digits."""
    end = datetime(year, 3, 4, 5, 6, 7, tzinfo=UTC)
    leaf = trustme.CA().issue_cert("localhost", not_after=end)
    der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
    assert certificate_end(der) == end
    assert certificate_end(der[: len(der) // 4]) is None


def test_a_connection_shows_when_the_certificate_ends(
    appliance: Appliance, server: Server, ca: trustme.CA
) -> None:
    assert appliance.certificate_end is None
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
    ca.issue_cert("localhost", not_after=end).configure_cert(server.context)
    appliance.calls(Priority.CHECK).info()
    assert appliance.certificate_end == end
