"""One HTTP call to one appliance, within its time.

Of requests only its adapter is used, which sends one request. A session would do more unasked:
follow redirects, keep cookies, and look into the environment for each call, for CA bundles and the
credentials of a .netrc file too. Proxies from the environment (HTTPS_PROXY, NO_PROXY) are used, as
they are at the start.

How long a call may last at the worst: the name lookup cannot be interrupted (the resolver's own
limits apply), each address of the name may use up the connect timeout, and all reading together
ends at the deadline, even if the server sends one byte at a time.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from bot.appliance.http_answers import Answer, Call, CallError, Redactor, not_in_time, unanswered
from bot.appliance.tls import (
    AppliancePool,
    Flight,
    OnlyOpened,
    Opened,
    PastSendBy,
    TooLarge,
    Trust,
    certificate_end,
    current_flight,
    proxy_context,
)
from bot.request.problem import ProblemKind
from bot.steady_clock import steady_seconds

OnCall = Callable[[str, str, str, float], None]

Auth = Callable[[requests.PreparedRequest], requests.PreparedRequest]
"""Puts headers on one request. A function shows no secret in a traceback with variables."""

CHUNK_BYTES = 64 * 1024
LARGE_BYTES = 256 * 1024
"""Larger answers of one appliance are taken apart by one thread, one after the other. What each
thread has once used, the system's allocator keeps for that thread, so an appliance that was taken
over would fill the memory with the same megabytes for each of them."""


@dataclass(eq=False)
class Transport:
    """The connections to one appliance; when the certificate of the last one ends. Thread-safe.

    `host` is `host` or `host:port`; `base_path` such as `/api/rest/vr/v2`. `timeout_seconds` is for
    the connect and for each wait for an answer. `on_call(method, path_template, outcome, seconds)`
    is told after every HTTP call, with the status or the kind of the problem.
    """

    host: str
    base_path: str
    trust: Trust
    timeout_seconds: float
    user_agent: str
    on_call: OnCall
    monotonic: Callable[[], float] = steady_seconds
    certificate_end: datetime | None = None

    def __post_init__(self) -> None:
        self._url = f"https://{self.host}/{self.base_path.strip('/')}".rstrip("/")
        self._proxies = get_environ_proxies(self._url, no_proxy=None)
        self._headers = {
            "User-Agent": self.user_agent,
            "Accept": "application/json",
            # Answers are small, and without compression none can unpack into gigabytes.
            "Accept-Encoding": "identity",
        }
        self._kept = TrustingAdapter(self.trust)
        self._opened: dict[str, tuple[Trust, Opened]] = {}
        self._reader = ThreadPoolExecutor(1, f"answers-{self.host}")

    def use(self, trust: Trust) -> None:
        """Connections to come are made with this trust; none that was made with another is used
        for a further call."""
        if trust is not self.trust:
            old, made = self._kept, TrustingAdapter(trust)
            # In this order: whoever finds the new trust finds its connections too.
            self._kept, self.trust = made, trust
            old.close()

    def close(self) -> None:
        """Close the kept connections, and those that were opened and not used."""
        self._kept.close()
        while self._opened:
            self._opened.popitem()[1][1].sock.close()
        self._reader.shutdown(wait=False)

    def open(self, call: Call, by: float) -> None:
        """Make the connection for this call, to be used before a `send_by`, and send nothing on it:
        an appliance in trouble may need longer for that than there is then."""
        trust = self.trust
        flight = Flight(monotonic=self.monotonic, by=by, only_open=True)
        try:
            self._exchange(call, flight, lambda request: request, Redactor())
        except OnlyOpened:
            self.close_opened(call)
            if flight.opened is not None:
                self._opened[call.path] = trust, flight.opened

    def close_opened(self, call: Call) -> None:
        """Close what was opened for this call and was not used."""
        if call.path in self._opened:
            self._opened.pop(call.path)[1].sock.close()

    def exchange(
        self,
        call: Call,
        *,
        expect: frozenset[int],
        auth: Auth,
        redact: Redactor,
        by: float,
        send_by: float | None = None,
    ) -> Answer:
        """Exactly one request, and its answer if the status is expected.

        Both in seconds of `monotonic`: at `by` the whole exchange is over, and after `send_by` the
        request must not leave any more. With `send_by` it goes on a connection of its own, the one
        that was opened for it or a new one. Servers close idle connections and firewalls drop them
        silently: a DELETE that is sent at that moment could not be told from one that was received.
        """
        start = self.monotonic()
        trust, opened = self._opened.pop(call.path, (None, None)) if send_by else (None, None)
        flight = Flight(
            monotonic=self.monotonic,
            by=by,
            send_by=send_by,
            opened=opened if trust is self.trust else None,
        )
        told = "interrupted"
        try:
            answer = self._exchange(call, flight, auth, redact)
            told = str(answer.status)
            if answer.status not in expect:
                raise answer.error()
            return answer
        except CallError as exc:
            told = exc.kind.value if told == "interrupted" else told
            raise
        finally:
            if opened is not None:
                opened.sock.close()
            self.on_call(call.method, call.template, told, self.monotonic() - start)

    def _exchange(self, call: Call, flight: Flight, auth: Auth, redact: Redactor) -> Answer:
        start, send_by = self.monotonic(), flight.send_by
        late = ProblemKind.UNSENT if send_by is None else ProblemKind.TOO_LATE
        if start >= flight.by or (send_by is not None and start > send_by):
            raise not_in_time(self.host, call, late)
        seconds = min(self.timeout_seconds, flight.by - start)
        # A connection that is ready only after send_by is of no use. Never 0, which would mean not
        # to wait at all.
        connect_seconds = seconds if send_by is None else max(min(seconds, send_by - start), 0.001)
        alone = flight.only_open or send_by is not None
        way = TrustingAdapter(self.trust) if alone else self._kept
        token = current_flight.set(flight)
        status: int | None = None
        failure: CallError
        try:
            request = requests.Request(
                call.method,
                self._url + call.path,
                headers=self._headers,
                params=dict(call.query),
                auth=auth,
            ).prepare()
            timeout = connect_seconds, seconds
            with way.send(request, stream=True, timeout=timeout, proxies=self._proxies) as response:
                status = response.status_code
                body = bytearray()
                # As it was sent. Nothing is unpacked, whatever the headers say: a few bytes can
                # unpack into gigabytes, and we have asked for none that are packed.
                for chunk in response.raw.stream(CHUNK_BYTES, decode_content=False):
                    body += chunk
            read = partial(Answer, call, self.host, status, response.headers, redact, body)
            if len(body) <= LARGE_BYTES:
                return read()
            return self._reader.submit(read).result()
        except PastSendBy:
            failure = not_in_time(self.host, call, late)
        except TooLarge:
            words = f"{self.host} answered {call} with far too many bytes;"
            words = f"{words} that is not an answer of this API."
            failure = CallError(ProblemKind.NOT_UNDERSTOOD, words, status=status)
        except (requests.RequestException, HTTPError, http.client.HTTPException, OSError) as exc:
            failure = unanswered(exc, call, self.host, sent=flight.sent, status=status)
        finally:
            current_flight.reset(token)
            if alone:
                way.close()
            if flight.certificate:
                self.certificate_end = certificate_end(flight.certificate)
        # Raised outside of the `except`, so that it is not chained to an error that holds the
        # credentials in its request.
        raise failure


# Enough for all threads that act, follow and read at once. A thread beyond that still gets a
# connection, but it is not kept.
CONNECTIONS_KEPT = 16

# No retries here, not even of a read whose connect failed: they would count against the appliance's
# limit but not in our budget, and would use up the caller's deadline. The caller tries again, where
# it can be seen and is counted.
NO_RETRY = Retry(total=0, connect=0, read=False, redirect=0, status=0, other=0)


class TrustingAdapter(HTTPAdapter):
    """Verifies by the given trust alone, whatever `verify` says."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        super().__init__(pool_maxsize=CONNECTIONS_KEPT, max_retries=NO_RETRY)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": AppliancePool}

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        if proxy.lower().startswith("socks"):
            # urllib3 has separate connection classes for SOCKS, which would ignore our deadlines.
            raise requests.exceptions.InvalidSchema("SOCKS proxies are not supported")
        manager = super().proxy_manager_for(
            proxy, proxy_ssl_context=proxy_context(), **proxy_kwargs
        )
        manager.pool_classes_by_scheme = {"https": AppliancePool}
        return manager

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        address = urlsplit(str(request.url))
        host = {"scheme": "https", "host": address.hostname, "port": address.port}
        return host, dict(self._trust.pool_arguments())

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Does nothing: the pool was made with the trust, and no argument may weaken it."""
