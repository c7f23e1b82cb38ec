"""The bot's Bolt App: synchronous, for one workspace. It makes no calls to Slack by itself."""

from __future__ import annotations

import logging

from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient


def make_app(client: WebClient, *, signing_secret: str) -> App:
    """`signing_secret` may be empty in Socket Mode, where nothing is signed.

    `process_before_response`: a listener runs in the thread of its request. This saves 10 ms per
    acknowledgement, and Bolt's pool of five threads, which could be full.
    """
    token = client.token

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # Without this Bolt would call auth.test inside the first request, and wait up to 30 s.
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

    return App(
        name="vr-unpair",
        client=client,
        authorize=authorize,
        signing_secret=signing_secret,
        logger=_bolt_logger(),
        process_before_response=True,
        token_verification_enabled=False,
        request_verification_enabled=True,
        ignoring_self_events_enabled=False,
        attaching_function_token_enabled=False,
        raise_error_for_unhandled_request=True,
    )


def _bolt_logger() -> logging.Logger:
    """Errors only. At lower levels Bolt logs bodies with `response_url` and `trigger_id`, and warns
    at each start about a token that we pass on purpose."""
    logger = logging.getLogger("bot.slack.bolt")
    logger.setLevel(logging.ERROR)
    return logger
