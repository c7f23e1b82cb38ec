"""The Bolt App of this bot: synchronous, one workspace, no call to Slack of its own."""

from __future__ import annotations

import logging

from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient


def make_app(client: WebClient, *, signing_secret: str) -> App:
    """`signing_secret` may be empty in Socket Mode, where nothing is signed.

    `process_before_response`: a listener runs in the thread of its request, which saves 10 ms per
    acknowledgement and a pool of five threads that could be full.
    """
    token = client.token

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # Bolt's own answer to this is auth.test, within the first request, with 30 s to wait.
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
    """Errors only: Bolt's lower levels write bodies with `response_url` and `trigger_id`, and one
    warning at each start about a token that is passed on purpose."""
    logger = logging.getLogger("bot.slack.bolt")
    logger.setLevel(logging.ERROR)
    return logger
