"""The card: what is asked, what it affects, who decides, and until when. Drawn only from the row.

People read it from the top, often on a phone, so the danger comes first and the ids come last.
"""

from __future__ import annotations

from slack_sdk.models.blocks import Block, ButtonElement

from bot.request.messages import Drawn
from bot.request.model import UNDECIDED, Request, State
from bot.request.pairing import Snapshot
from bot.slack.draw.ids import (
    NO_FINGERPRINT,
    UNPAIR_APPROVE,
    UNPAIR_BREAK_GLASS,
    UNPAIR_CANCEL,
    UNPAIR_DENY,
    UNPAIR_LOOK,
    ButtonValue,
)
from bot.slack.draw.markup import (
    DECISION_REASON_SHOWN,
    ID,
    ISSUES_SHOWN,
    NAME,
    PARTIAL_SHOWN,
    REASON_IN_TEXT,
    REASON_SHOWN,
    REPLICATIONS_SHOWN,
    button,
    buttons,
    code,
    confirmation,
    context,
    drawn,
    fence,
    header,
    line,
    mention,
    mentions,
    section,
    tidy,
    when,
)
from bot.slack.draw.words.notices import GLASS_ALONE, glass_reason, glass_void
from bot.slack.draw.words.outcomes import ending
from bot.slack.draw.words.phrases import (
    consequences,
    count_of,
    local_site,
    may_stop_it,
    no_way_back,
    not_before,
    pairing,
    pairing_at,
    place,
    remote_site,
    tally,
    to_call,
    who_decided,
)
from bot.slack.draw.words.states import heading

DRY_RUN = "🧪 *Dry run: nothing will be deleted.*"


def card(request: Request, command: str) -> Drawn:
    """One message, always the same for the same row. `command` is the slash command."""
    return drawn(
        _text(request),
        header(heading(request)),
        _outcome(request),
        _glass(request),
        section(DRY_RUN) if request.terms.dry_run else None,
        section(_asked(request, command)),
        section("\n".join(hits(request))),
        section(_reason(request, REASON_SHOWN)),
        section(_time(request)) if request.scheduled_at is not None else None,
        section(f"*Approvals:* {_approvals(request)}"),
        section(GLASS_ALONE) if request.glass_alone and request.state in UNDECIDED else None,
        _call(request),
        context(small_print(request)),
        card_buttons(request),
    )


def _glass(request: Request) -> Block | None:
    """Who broke the glass and why, or that somebody had and it no longer counts."""
    if request.glass:
        return section(glass_reason(request))
    return section(glass_void(request.glass_lost)) if request.glass_lost else None


def _asked(request: Request, command: str) -> str:
    lines = [
        f"{mention(request.requester)} {_asks(request)} to break the pairing",
        f"*{pairing(request)}*",
    ]
    lines += [where] if (where := place(request)) else []
    if request.also_at:
        named = ", ".join(code(site, NAME) for site in request.also_at)
        lines.append(f"Also seen from {named}: that is the same pairing, one request is enough.")
    if request.force:
        lines.append(f"⚠️ {one_sided(request)}")
    if request.earlier_attention:
        earlier = code(request.earlier_attention)
        look = code(f"{command} status {request.earlier_attention}")
        lines.append(
            f"⚠️ An earlier request for this pairing, {earlier}, has no confirmed outcome. "
            f"Check it before approving: {look} leads to its card."
        )
    # It stays at the end: whoever reads the record months later has the same question.
    lines.append(f"{no_way_back(request)} Reconnect does not bring a pairing back.")
    return "\n".join(lines)


def _asks(request: Request) -> str:
    return "asks" if request.state.open else "asked"


def _reason(request: Request, limit: int) -> str:
    if not tidy(request.reason):
        return "*Why:* no reason given."
    return f"*Why:*\n{fence(request.reason, limit)}"


def _time(request: Request) -> str:
    """When it is sent, in whose time, and until when and how it can be stopped."""
    lines = [f"⏰ *Not before:* {not_before(request)}"]
    if request.state in UNDECIDED:
        lines.append(
            "Once approved, it waits until then; what is there and who may is read again at that "
            f"time. {may_stop_it(request)}."
        )
    elif request.may_be_denied:
        lines.append(f"{may_stop_it(request)}.")
    return "\n".join(lines)


def _approvals(request: Request) -> str:
    by = f" ({mentions(d.by for d in request.approvals)})" if request.approvals else ""
    open_until = request.decide_by if request.state in UNDECIDED else None
    until = f" *Until:* {when(open_until)}" if open_until is not None else ""
    return f"{tally(request)}{by}.{until}"


def _call(request: Request) -> Block | None:
    """Mentions people only while they have something to decide."""
    called = to_call(request)
    return section(f"Please decide: {called}") if called and request.state in UNDECIDED else None


def _outcome(request: Request) -> Block | None:
    """The decision or the end. It comes on top, since the card is now a record."""
    ended_by_hand = request.denial or request.cancellation
    decided = who_decided(request) if ended_by_hand or not request.glass else ""
    if request.outcome is None:
        if request.waits_for_its_time and request.scheduled_at is not None:
            waits = "Waits" if request.glass else "Approved, waits"
            decided = f"*{waits} until {when(request.scheduled_at)}.* {decided}".strip()
        return section(decided) if decided and request.state not in UNDECIDED else None
    if ended_by_hand:
        # The decision is also the end, so it is said only once.
        reason = request.denial.reason if request.denial else None
        why = [fence(reason, DECISION_REASON_SHOWN)] if reason else []
        return section("\n".join([f"*{decided}*", *why]))
    lines = [f"*{ending(request, request.correction or request.outcome).title}*"]
    lines += [decided] if decided else []
    if request.ended_at is not None:
        lines.append(f"Ended {when(request.ended_at)}.")
    return section("\n".join(lines))


def _text(request: Request) -> str:
    """The text that a phone shows before the message is opened."""
    label = f" ({code(request.terms.label)})" if request.terms.label else ""
    parts = [f"{heading(request)}{label}"]
    if request.terms.dry_run:
        parts.append("Dry run: nothing will be deleted.")
    parts.append(f"{mention(request.requester)} {_asks(request)} to break {pairing_at(request)}.")
    if request.scheduled_at is not None:
        parts.append(_time(request))
    if request.force:
        parts.append(one_sided(request))
    parts += hits(request, brief=True)
    parts.append(f"Approvals: {_approvals(request)}")
    called = to_call(request)
    if called and request.state in UNDECIDED:
        parts.append(f"Please decide: {called}")
    decided = who_decided(request)
    if decided and request.state not in UNDECIDED:
        parts.append(decided)
    if request.glass:
        parts.append(glass_reason(request, REASON_IN_TEXT))
    elif request.glass_lost:
        parts.append(glass_void(request.glass_lost))
    elif request.glass_alone and request.state in UNDECIDED:
        parts.append(GLASS_ALONE)
    parts.append(_reason(request, REASON_IN_TEXT))
    return "\n".join(parts)


# ---- what the appliance said ---------------------------------------------------------------
SRM = "Site Recovery Manager"


def one_sided(request: Request) -> str:
    """What a forced break leaves behind (vendor OpenAPI, `force`)."""
    return (
        f"*One-sided break:* only {local_site(request)} drops the pairing. {remote_site(request)} "
        "keeps its half and needs the same done there."
    )


def hits(request: Request, *, brief: bool = False) -> list[str]:
    """Replications, recovery plans, and what is not in order; only the first two if `brief`."""
    snapshot = request.snapshot
    if snapshot is None:
        return ["The appliance has not been read yet."]
    lines = [_replications(snapshot, names=not brief)]
    if snapshot.protected:
        lines.append(f"⚠️ {_protected(snapshot)} protected by recovery plans ({SRM}).")
    elif snapshot.count and not snapshot.complete:
        lines.append(f"⚠️ Whether recovery plans ({SRM}) protect them cannot be told.")
    if brief:
        return lines
    if not request.force:
        lines.append("*Ordinary break:* both sites drop the pairing.")
    if snapshot.remote_vrms.status == "ERROR":
        needed = "" if request.force else ": an ordinary break needs it"
        lines.append(f"⚠️ {remote_site(request)} could not be reached when this was read{needed}.")
    lines += _partial(snapshot)
    return lines + _issues(snapshot)


def small_print(request: Request) -> str:
    """Ids and times. They serve to compare, not to decide."""
    parts = [f"Request {code(request.id)}"]
    pairing_id = request.pairing_id or (request.snapshot and request.snapshot.pairing_id)
    if pairing_id:
        parts.append(f"pairing id {code(pairing_id, ID)}")
    if request.snapshot:
        parts.append(f"read {when(request.snapshot.read_at)}")
    if request.state in (State.CHECKING, State.PENDING):
        parts.append(f"asked {when(request.created_at)}")
    return " · ".join(parts)


def _protected(snapshot: Snapshot) -> str:
    if snapshot.protected == snapshot.count:
        return "It is" if snapshot.count == 1 else "All of them are"
    if not snapshot.complete:
        # Only the listed ones are counted. Whether the others are protected is not known.
        return f"At least {snapshot.protected:,} of them {_is(snapshot.protected)}"
    return f"{snapshot.protected:,} of them {_is(snapshot.protected)}"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _replications(snapshot: Snapshot, *, names: bool) -> str:
    if snapshot.count == 0:
        return "*No replications* use this pairing."
    verb = "uses" if snapshot.count == 1 else "use"
    words = f"*{count_of(snapshot.count, 'replication')}* {verb} this pairing"
    first = snapshot.replications[:REPLICATIONS_SHOWN]
    shown = [code(each.name, NAME) for each in first]
    if not names or not shown:
        return f"{words}."
    left = snapshot.count - len(shown)
    more = f" and {left:,} more" if left > 0 else ""
    return f"{words}: {', '.join(shown)}{more}."


def _partial(snapshot: Snapshot) -> list[str]:
    if snapshot.complete and not snapshot.partial:
        return []
    lines = []
    if not snapshot.complete:
        lines.append(
            "⚠️ The appliance could not tell everything. If one VM is swapped for another before "
            "the delete, the bot will not notice."
        )
    else:
        lines.append("⚠️ The appliance could not tell everything.")
    lines += [f"• {line(words)}" for words in snapshot.partial[:PARTIAL_SHOWN]]
    left = len(snapshot.partial) - PARTIAL_SHOWN
    return [*lines, f"• and {left} more"] if left > 0 else lines


def _issues(snapshot: Snapshot) -> list[str]:
    if not snapshot.issue_count:
        return []
    lines = [f"⚠️ {count_of(snapshot.issue_count, 'open issue')}:"]
    shown = snapshot.issues[:ISSUES_SHOWN]
    for issue in shown:
        about = f"{code(issue.entity)}: " if issue.entity else ""
        how = f" ({line(issue.status, NAME)})" if issue.status else ""
        lines.append(f"• {about}{line(issue.description or 'no description')}{how}")
    left = snapshot.issue_count - len(shown)
    return [*lines, f"• and {left:,} more"] if left > 0 else lines


# ---- buttons -------------------------------------------------------------------------------
_TITLE_IN_QUESTION = 140
_TITLE_BESIDE_SITES = 70
_SITE_IN_QUESTION = 30
_TIME_IN_QUESTION = 30
"""The dialog holds 300 characters. The names are kept short so that what follows is not cut off."""


def card_buttons(request: Request) -> Block | None:
    """All of them while it is undecided, only Withdraw until the DELETE is sent, and with a time
    for that Deny as well, then none.

    `checking` is drawn like `pending`: the row becomes `pending` once Slack has answered the post.
    """
    if request.state in (State.CHECKING, State.PENDING):
        glass = [_break_glass(request)] if request.terms.break_glass else []
        approve = [] if request.glass_alone else [_approve(request)]
        return buttons(*approve, _deny(request), _withdraw(request), *glass)
    if request.state is not State.APPROVED:
        return None
    deny = [_deny(request)] if request.may_be_denied else []
    return buttons(*deny, _withdraw(request))


def look_button(request: Request) -> Block:
    """For the final reply of a request that a person must check."""
    return buttons(
        button(
            "Look again",
            UNPAIR_LOOK,
            value_of(request),
            label=f"Look again at request {request.id}, changes nothing",
        )
    )


def value_of(request: Request) -> str:
    fingerprint = request.fingerprint or NO_FINGERPRINT
    return ButtonValue(request_id=request.id, fingerprint=fingerprint).pack()


def _approve(request: Request) -> ButtonElement:
    title = _TITLE_BESIDE_SITES if request.force else _TITLE_IN_QUESTION
    title -= _TIME_IN_QUESTION if request.scheduled_at is not None else 0
    return button(
        "Approve",
        UNPAIR_APPROVE,
        value_of(request),
        label=f"Approve request {request.id}",
        danger=True,
        confirm=confirmation(
            "Approve this dry run?" if request.terms.dry_run else "Break this pairing?",
            "\n".join(consequences(request, title, _SITE_IN_QUESTION)),
            yes="Approve",
            no="Not now",
        ),
    )


def _deny(request: Request) -> ButtonElement:
    return button("Deny", UNPAIR_DENY, value_of(request), label=f"Deny request {request.id}")


def _break_glass(request: Request) -> ButtonElement:
    return button(
        "🚨 Break glass",
        UNPAIR_BREAK_GLASS,
        value_of(request),
        label=f"Break glass on request {request.id}: decide alone, with a reason",
        danger=True,
    )


def _withdraw(request: Request) -> ButtonElement:
    return button(
        "Withdraw",
        UNPAIR_CANCEL,
        value_of(request),
        label=f"Withdraw request {request.id}, for who asked",
    )


def card_url(request: Request, workspace_url: str | None) -> str | None:
    """The same address that "Copy link" gives. It is put together here, since chat.getPermalink
    (Slack docs) would cost a call for each card. `workspace_url` comes from `auth.test`. None
    without it, and while there is no card."""
    if not workspace_url or request.card_ts is None:
        return None
    ts = request.card_ts.replace(".", "")
    return f"{workspace_url.rstrip('/')}/archives/{request.channel}/p{ts}"
