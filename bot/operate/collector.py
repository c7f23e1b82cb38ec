"""The collector of the audit trail, a witness outside of the database: each record is posted to it
as a line of JSON, as `audit export` shows it.

The system's certificates decide (or those of SSL_CERT_FILE, as for Slack), a redirect is no answer,
and a proxy of the environment is used.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from bot.operate.json_and_csv import audit_lines
from bot.request.audit_chain import Record

BODY_BYTES = 64 * 1024


class NotTaken(OSError):
    """With what kept it from that, for people; without the token."""


class Collector:
    """`url` is AUDIT_URL. `token` is asked for each time, and with True after it was refused. For
    several threads."""

    def __init__(self, url: str, token: Callable[[bool], str] | None, user_agent: str) -> None:
        self._url, self._token = url, token
        parts = urlsplit(url)
        self.place = parts.netloc  # a path or a query may be a secret
        self._session = requests.Session()
        self._session.mount("https://", _SystemTrust())
        self._session.headers["User-Agent"] = user_agent

    def take(self, records: Sequence[Record], by: float) -> None:
        """Posts them, until the monotonic second `by`. Raises NotTaken."""
        body = "".join(f"{line}\n" for line in audit_lines(records, "jsonl"))
        status = self.post(body, by)
        if status == 401:
            status = self.post(body, by, refused=True)
        if not 200 <= status < 300:
            raise NotTaken(f"it answered {status}")

    def post(self, body: str, by: float, *, refused: bool = False) -> int:
        """The status. Raises NotTaken where there is none."""
        left = by - time.monotonic()
        if left <= 0:
            raise NotTaken("there was no time left for it")
        try:
            with self._session.post(
                self._url,
                data=body.encode(),
                headers={"Content-Type": "application/x-ndjson"},
                auth=_Bearer(self._token(refused) if self._token else None),
                timeout=left,
                allow_redirects=False,
                stream=True,
            ) as answer:
                with suppress(HTTPError, OSError):  # a body that was read leaves the connection
                    answer.raw.read(BODY_BYTES)
                return answer.status_code
        except requests.Timeout:
            raise NotTaken("it gave no answer in time") from None
        except requests.exceptions.SSLError:
            raise NotTaken("its certificate is not trusted, or TLS failed") from None
        except requests.exceptions.ProxyError:
            raise NotTaken("the proxy on the way gives no connection") from None
        except requests.ConnectionError:
            raise NotTaken("it cannot be connected to") from None
        except requests.RequestException as error:
            raise NotTaken(type(error).__name__) from None


class _Bearer(requests.auth.AuthBase):
    """Also without a token: requests would look for credentials in a .netrc file."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _SystemTrust(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=ssl.create_default_context())

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        context = ssl.create_default_context()
        return super().proxy_manager_for(proxy, **kwargs, ssl_context=context)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Adds no certificates of requests' own to those of the system."""
        conn.cert_reqs = "CERT_REQUIRED"
