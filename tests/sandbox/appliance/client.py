"""A client that knows nothing and repeats nothing, for looking at the bare answers."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import requests

from sandbox.appliance import SimulatedAppliance


class RawClient:
    def __init__(self, appliance: SimulatedAppliance) -> None:
        self.appliance = appliance
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = appliance.ca_file
        self.headers: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()

    def log_in(self, username: str | None = None, password: str | None = None) -> int:
        """The status; the session is used from then on when it was 200."""
        credentials = (username or self.appliance.username, password or self.appliance.password)
        answer = self.call("POST", "/session", auth=credentials)
        if answer.status_code == 200:
            self.headers = {"x-dr-session": answer.json()["session_id"]}
        return answer.status_code

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        more.setdefault("headers", self.headers)
        more.setdefault("timeout", 5)
        return self.http.request(method, self.appliance.url + path, allow_redirects=False, **more)

    def get(self, path: str, **parameters: str) -> requests.Response:
        return self.call("GET", path, params=parameters)

    def delete(self, pairing_id: str, **parameters: str) -> requests.Response:
        return self.call("DELETE", f"/pairings/{pairing_id}", params=parameters)
