"""The lines of `check` about the audit trail: its key, and its collector. Nothing is recorded."""

from __future__ import annotations

import time

from sqlalchemy import inspect, select
from sqlalchemy.engine import make_url

from bot.operate.check_database import file_of, reading
from bot.operate.check_line import Line, fine, wrong
from bot.operate.collector import NotTaken
from bot.settings import Settings
from bot.store.audit_trail import MayNotSign, may_sign
from bot.store.schema import audit_head
from bot.witnesses import collector_of

ANSWERS_WITHIN_S = 5.0


def key(settings: Settings) -> Line:
    """Whether the trail lists the key that is set, or needs none."""
    signer = settings.signer()
    place = make_url(settings.database_url.get_secret_value())
    file, listed = file_of(place), ""
    if not file or file.exists():
        with reading(place) as conn:
            if inspect(conn).has_table("audit_head"):
                listed = conn.execute(select(audit_head.c.signers)).scalar_one()
    try:
        may_sign(signer, listed.split())
    except MayNotSign as error:
        what, _, step = str(error).rstrip(".").partition(": ")
        return wrong(what, step, final=True)
    if signer is None:
        return fine("the audit trail is not signed")
    return fine(
        f"{signer.id} signs the audit trail" + ("" if listed else " from its next start on")
    )


def collector(settings: Settings) -> Line:
    """Whether it answers to an empty list of records, which is no record."""
    token = settings.audit_token
    found = collector_of(settings, lambda _name, _: token.get_secret_value() if token else "")
    if found is None:
        return fine(f"none: AUDIT_BEFORE_ACT is {settings.audit_before_act}")
    try:
        status = found.post("", time.monotonic() + ANSWERS_WITHIN_S)
    except NotTaken as error:
        return wrong(f"{found.place} does not answer: {error}", "see whether AUDIT_URL is right")
    if status in (401, 403):
        return wrong(f"{found.place} refuses the token ({status})", "set AUDIT_TOKEN to its own")
    # To an empty list some say 400.
    if not 200 <= status < 300 and status != 400:
        return wrong(f"{found.place} answers {status}", "see whether AUDIT_URL is its address")
    return fine(f"{found.place} answers")
