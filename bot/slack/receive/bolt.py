"""The bot's Bolt App, and how a payload goes through it, whichever way it came in.

The App is synchronous, for one workspace, and makes no calls to Slack by itself.
"""

from __future__ import annotations

import logging

from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.slack.receive.payload import Json, Malformed


def make_app(client: WebClient) -> App:
    """`process_before_response`: a listener runs in the thread of its request. This saves 10 ms per
    acknowledgement, and Bolt's pool of five threads, which could be full.

    Bolt's check of the signature is off: it comes after its parser, and `http` has checked it
    before anything is parsed.
    """
    token = client.token

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        # Without this Bolt would call auth.test inside the first request, and wait up to 30 s.
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

    return App(
        name="vr-unpair",
        client=client,
        authorize=authorize,
        logger=_bolt_logger(),
        process_before_response=True,
        token_verification_enabled=False,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
        attaching_function_token_enabled=False,
        raise_error_for_unhandled_request=True,
    )


def dispatch(app: App, payload: Json) -> BoltResponse:
    """What the listener answers to a payload that `payload.checked` let through. Its errors have
    become sentences for people (`failures`). Raises Malformed.

    The mode is `socket_mode` for HTTP too: so Bolt takes the payload as it is, and parses nothing.
    """
    try:
        request = BoltRequest(mode="socket_mode", body=payload)
    except Exception as error:
        # Bolt looks for ids in some forty places, whatever their type is, and fails on a wrong one.
        raise Malformed(f"Bolt cannot read it: {type(error).__name__}") from error
    answer = app.dispatch(request)
    if answer.status == 400:
        raise Malformed("a listener cannot read it")
    return answer


def _bolt_logger() -> logging.Logger:
    """Errors only. At lower levels Bolt logs bodies with `response_url` and `trigger_id`, and warns
    at each start about a token that we pass on purpose."""
    logger = logging.getLogger("bot.slack.bolt")
    logger.setLevel(logging.ERROR)
    return logger
