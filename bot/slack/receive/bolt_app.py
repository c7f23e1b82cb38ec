"""Bolt's App as it is used here, how a payload gets into it, and what is answered where a listener
fails."""

from __future__ import annotations

import logging
import traceback

import structlog
from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.request.request_id import new_reference
from bot.slack.draw import ids
from bot.slack.draw.card_buttons import FORMS
from bot.slack.draw.words import usage
from bot.slack.receive.payload import Json, Malformed
from bot.slack.send.one_message import Whisper

log = structlog.get_logger(__name__)

SHORTEST_SECRET = 8
"""Hiding anything shorter would blank out half of the traceback and protect nothing."""

SECRETS = ("response_url", "trigger_id", "token")
"""Fields of a payload that must not be logged. A database error quotes the values to store."""

ERROR_AT = {ids.UNPAIR_REQUEST: ids.BLOCK_REASON} | {
    form.callback_id: form.block_id for form in FORMS.values()
}
"""At which field of a form an error is said, by its `callback_id`."""


def bolt_app(client: WebClient) -> App:
    """Without listeners: synchronous, for one workspace. What Bolt has and is not used:

    - its threads for listeners (`process_before_response`): a listener runs in the thread of its
      request. This saves 10 ms per acknowledgement, and a pool of five threads that could be full;
    - its parser (`dispatch`), and the check of the signature, which comes after that: `signature`
      has checked it before anything is parsed;
    - its calls to Slack. `auth.test` would be called inside the first request and wait up to 30 s,
      and the token, which `check` looks at, would have to be valid at the start;
    - leaving out what the bot itself has done, and the tokens of workflow steps: neither is in
      the manifest, and both look into each payload;
    - its answer 404 to what nobody listens to: a person would read "operation failed".
    """

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=client.token)

    # Errors only. At lower levels Bolt logs bodies with `response_url` and `trigger_id`, and warns
    # at each start about a token that we pass on purpose.
    logger = logging.getLogger("bot.slack.bolt")
    logger.setLevel(logging.ERROR)
    return App(
        name="vr-unpair",
        client=client,
        authorize=authorize,
        logger=logger,
        process_before_response=True,
        token_verification_enabled=False,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
        attaching_function_token_enabled=False,
        raise_error_for_unhandled_request=True,
    )


def dispatch(app: App, body: Json) -> BoltResponse:
    """What the listener answers to a payload that `payload.checked` let through. Raises Malformed.

    The mode is `socket_mode` for HTTP too: so Bolt takes the payload as it is, and parses nothing.
    """
    try:
        request = BoltRequest(mode="socket_mode", body=body)
    except Exception as error:
        # Bolt looks for ids in some forty places, whatever their type is, and fails on a wrong one.
        raise Malformed(f"Bolt cannot read it: {type(error).__name__}") from error
    answer = app.dispatch(request)
    if answer.status == 400:
        raise Malformed("a listener cannot read it")
    return answer


def answer_to_error(error: Exception, body: Json, whisper: Whisper) -> BoltResponse:
    """A sentence for the person, and a line in the log. Whatever came from Slack and is not
    malformed is acknowledged with 200: with any other status the person would only read "operation
    failed"."""
    if isinstance(error, Malformed):
        log.warning("payload_malformed", why=str(error))
        return BoltResponse(status=400, body={"error": "malformed"})
    reference = new_reference()
    # Without local variables, and without the secrets of the payload.
    lines = "".join(traceback.format_exception(error))
    for value in (body.get(name) for name in SECRETS):
        if isinstance(value, str) and len(value) >= SHORTEST_SECRET:
            lines = lines.replace(value, "<secret>")
    log.error("listener_failed", reference=reference, traceback=lines)
    sentence = usage.unexpected(reference)
    if "command" in body:
        return BoltResponse(status=200, body={"response_type": "ephemeral", "text": sentence})
    if body.get("type") == "view_submission":
        block = ERROR_AT.get(body["view"]["callback_id"], ids.BLOCK_REASON)
        errors = {"response_action": "errors", "errors": {block: sentence}}
        return BoltResponse(status=200, body=errors)
    url = body.get("response_url")
    whisper.tell(url if isinstance(url, str) else None, sentence)
    return BoltResponse(status=200, body="")
