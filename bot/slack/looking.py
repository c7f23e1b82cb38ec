"""What all lines of `check` about Slack share, and how they ask. What Slack has refused to tell
once is not asked again, and is reported once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.error import URLError
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.core.finding import Finding, skipped, wrong
from bot.core.who_may import Home, Reason
from bot.slack.identity import Myself
from bot.slack.proxies import proxy_for
from bot.slack.trouble import BROKEN, Kind, trouble_of

TIMEOUT_S = 10
"""Per socket operation. Longer than for a click, since nobody waits for an acknowledgement."""

Told: TypeAlias = Mapping[str, Any]
Steps: TypeAlias = Mapping[str, tuple[str, str]]
"""For each of Slack's error words: what it means here, and what to do about it."""


@dataclass(frozen=True)
class Wanted:
    """What the settings name. `people` and `groups` map each id to the settings that list it."""

    channels: tuple[str, ...] = ()
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    approvers: tuple[str, ...] = ()
    approvals: Mapping[str, int] = field(default_factory=dict)
    break_glass: bool = False


@dataclass
class Slack:
    """One look at Slack. `client` has the bot token, `app` the app-level token of Socket Mode.
    `on_identity` is called with whose token it is, once the token has proved right."""

    client: WebClient
    app: WebClient | None = None
    wanted: Wanted = Wanted()
    on_identity: Callable[[Myself], None] = lambda _me: None
    home: Home | None = None
    bot_name: str = ""
    granted: frozenset[str] | None = None
    missing_scopes: frozenset[str] = frozenset()
    standings: dict[str, Reason | Finding] = field(default_factory=dict)
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _stuck: dict[str, str] = field(default_factory=dict)

    def ask(
        self, name: str, about: str, method: str, call: Callable[[], Any], steps: Steps
    ) -> Told | Finding:
        """Slack's answer, or the finding that the line `name` reports instead."""
        cause = self._stuck.get(method) or self._stuck.get("")
        if cause:
            return skipped(name, cause, about=about)
        try:
            answer = call()
        except (SlackApiError, *BROKEN) as error:
            return self._unread(name, about, method, error, steps)
        return answer.data if isinstance(answer.data, dict) else {}

    def _unread(
        self, name: str, about: str, method: str, error: Exception, steps: Steps
    ) -> Finding:
        trouble = trouble_of(error)
        if trouble.word in steps:
            return wrong(name, *steps[trouble.word], about=about)
        if trouble.word == "missing_scope" and self.missing_scopes:
            return skipped(name, f"slack-scope {self._needed(error)}", about=about)
        found = wrong(name, *_words(method, error), about=about)
        if trouble.away:
            # Slack does not answer at all, so each further call might wait just as long in vain.
            self._stuck[""] = found.key
        elif trouble.kind is not Kind.FINAL:
            self._stuck[method] = found.key
        return found

    def _needed(self, error: Exception) -> str:
        """The scope that Slack asks for, if the token is known to lack it."""
        data = error.response.data if isinstance(error, SlackApiError) else {}
        named = str(data.get("needed", "")).split(",") if isinstance(data, dict) else []
        found = [scope for scope in named if scope in self.missing_scopes]
        return (found or sorted(self.missing_scopes))[0]


def proxy_of(url: str) -> str | None:
    """`name:port` of the proxy for Slack's Web API, without credentials."""
    proxy = proxy_for(url)
    return urlsplit(proxy).netloc.rpartition("@")[2] if proxy else None


def _words(method: str, error: Exception) -> tuple[str, str]:
    """What happened, and what to do."""
    trouble = trouble_of(error)
    if trouble.kind is Kind.LIMITED:
        wait = f"look again in {trouble.retry_after_s} s"
        return f"Slack takes no {method} for {trouble.retry_after_s} s", wait
    if not isinstance(error, SlackApiError):
        why = str(error.reason) if isinstance(error, URLError) else trouble.word
        step = "is Slack within reach from here, and is HTTPS_PROXY right?"
        return f"{method} had no answer that can be read ({why})", step
    if trouble.word.startswith("http_"):  # the answer had no error word of Slack's
        status = error.response.status_code
        step = "does SLACK_API_URL name Slack, or does a proxy answer in its place?"
        return f"{method} was answered with HTTP {status}, but not by Slack's API", step
    step = "Slack's documentation of that method tells why"
    return f"Slack says {trouble.word} to {method}", step
