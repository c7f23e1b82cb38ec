"""The card, drawn only from the row: what is asked, what hangs on it, who decides until when, and
what each button does; afterwards what was done.

People read it from the top, often on a phone at night, so what they decide by comes first and the
ids come last. One warning sign stands before what should stop somebody, none before what is only
worth knowing.
"""

from __future__ import annotations

from bot.request.messages import Drawn
from bot.request.model import UNDECIDED, Request
from bot.request.pairing import Snapshot
from bot.slack.draw import ids, limits
from bot.slack.draw.card_buttons import card_buttons, some, value_of
from bot.slack.draw.markup import (
    button,
    code,
    context,
    drawn,
    fence,
    header,
    mention,
    section,
    tidy,
    when,
)
from bot.slack.draw.words.endings import ending
from bot.slack.draw.words.pairing_names import (
    between,
    count_of,
    extent,
    no_way_back,
    not_before,
    place,
    protected,
    sites,
    what,
    who_drops,
)
from bot.slack.draw.words.phrases import (
    STATES,
    approvals_by_pool,
    may_stop_it,
    to_call,
    who_decided,
)
from bot.slack.draw.words.thread_notices import glass_reason

DRY_RUN = "🧪 *Dry run: nothing will be deleted.*"
ORDINALS = ("no", "first", "second", "third", "fourth", "fifth")


def card(request: Request, earlier: str = "") -> Drawn:
    """One message, always the same for the same row. `earlier` leads to the card of the earlier
    request that has no confirmed outcome (see `earlier_card`)."""
    plans, names = _plans(request.snapshot), None
    known = request.snapshot.replications if request.snapshot else ()
    if request.state in UNDECIDED and len(known) > limits.ALL_SHOWN:
        label = f"Names of all replications of request {request.id}"
        names = button("All names", ids.UNPAIR_NAMES, value_of(request), label=label)
    return drawn(
        header(heading(request)),
        *(section(part, names if part == plans else None) for part in said(request, earlier)),
        context(small_print(request)),
        card_buttons(request),
    )


def heading(request: Request) -> str:
    """What is asked, with what hangs on it; then how far it is; in the end what was done. It does
    not say "nothing was sent" if the appliance turned a DELETE away, since that one was sent. And
    it does not say "approved" after a break glass, even if there were approvals before."""
    words = STATES[request.state]
    if request.state in UNDECIDED:
        named = between(request, limits.SITE_IN_HEADING)
        return f"{words.mark} Break pairing {named}{extent(request)}"
    said = words.heading
    if request.scheduled_at is not None and request.waits_for_its_time:
        said = "Approved, waits until its time"  # a header cannot show it in everybody's time zone
    if request.state.open and request.glass is not None:
        return f"🚨 Break glass{said.removeprefix('Approved')}"
    if request.outcome is not None:
        said = ending(request, request.correction or request.outcome).heading or said
    if request.turned_away is not None:
        said = said.replace("nothing was sent", "nothing was accepted")
    return f"{words.mark} {said}"


def said(request: Request, earlier: str) -> list[str]:
    """All that is between heading and small print, a section each. The reason stands by itself, so
    that the longest one is not cut."""
    why = (
        fence(request.reason, limits.REASON_SHOWN)
        if tidy(request.reason)
        else "No reason was given."
    )
    glass = glass_reason(request)
    if request.glass_lost and not glass:
        by, at = mention(request.glass_lost.by), when(request.glass_lost.at)
        glass = f"🚨 Break glass by {by}, {at}, no longer counts: the right to it is gone."
    if not request.state.open:
        return _over(request, why, glass)
    parts = (
        _who_asks(request),
        why,
        glass,
        _plans(request.snapshot),
        _names(request.snapshot),
        *_special(request, earlier),
        _time(request),
        _decision(request),
    )
    return [part for part in parts if part]


def _who_asks(request: Request) -> str:
    undecided = request.state in UNDECIDED
    lines = [DRY_RUN] if request.terms.dry_run else []
    lines += [] if undecided else [f"{what(request)}."]
    decided = who_decided(request) if not undecided and not request.glass else ""
    if request.scheduled_at is not None and request.waits_for_its_time:
        waits = "Waits" if request.glass else "Approved, waits"
        decided = f"*{waits} until {when(request.scheduled_at)}.* {decided}".strip()
    lines += [decided] if decided else []
    where = place(request)
    lines.append(f"{mention(request.requester)} asks.{f' {where}.' if where else ''}")
    lines += ["Reason, as typed:"] if tidy(request.reason) else []
    return "\n".join(lines)


def _over(request: Request, why: str, glass: str) -> list[str]:
    """What was done, who asked and why, who decided and when, and the next step."""
    end = ending(request, request.correction or request.outcome) if request.outcome else None
    by_hand = request.denial or request.cancellation  # that is also when it ended
    lines = [DRY_RUN] if request.terms.dry_run else []
    lines.append(f"{what(request)}.")
    if end and not end.heading and not by_hand:
        lines.append(end.title)
    people = [f"Asked by {mention(request.requester)}, {when(request.created_at)}."]
    people += [who_decided(request)] if by_hand or not request.glass else []
    if request.ended_at is not None and not by_hand:
        people.append(f"Ended {when(request.ended_at)}.")
    lines.append(" ".join(filter(None, people)))
    if request.denial and request.denial.reason:
        lines.append(fence(request.denial.reason, limits.DECISION_REASON_SHOWN))
    parts = ["\n".join(lines), *([glass] if glass else []), f"Asked because:\n{why}"]
    return [*parts, *([f"*Next step:* {end.next_step}"] if end else [])]


def _decision(request: Request) -> str:
    """How it is decided, and what each button does. After a break glass how many had approved."""
    needed, pools = request.approvals_required, len(request.terms.pools) > 1
    approvals = f"*Approvals:* {approvals_by_pool(request)}"
    if request.state not in UNDECIDED:
        return approvals if request.glass else ""
    if request.decide_by is not None:
        late = "then the request expires and the pairing stays"
        there = "\n" if pools else ". "
        approvals += f"{there}Deadline for approvals: {when(request.decide_by)}, {late}"
    called = to_call(request)
    please = f" Please decide: {called}" if called else ""
    others = (
        "One *Deny* ends the request, the pairing stays. Only "
        f"{mention(request.requester)} can *Withdraw* the request."
    )
    who = (
        "Only people named in the settings can press it, with a reason, and every approver is told."
    )
    if request.glass_alone:
        alone = (
            "⚠️ There are too few people who could approve this, so only *Break glass* is left: it "
            f"breaks the pairing without approvals. {who}"
        )
        return f"{approvals}.{please}\n{alone} {others}"
    which = f"The {ORDINALS[needed]} approval" if needed < len(ORDINALS) else f"Approval {needed}"
    which = "One approval" if needed == 1 else which
    which = "The last approval that is missing" if pools else which
    does = "starts the dry run" if request.terms.dry_run else "breaks the pairing"
    acts = f"{which} {does} at once."
    if request.scheduled_at is not None:
        acts = f"{which} decides that the bot {does}, {when(request.scheduled_at)}."
    whole = request.snapshot is None or request.snapshot.complete
    but = "" if whole else " (of the replications only the number is compared)"
    again = (
        "Before it breaks anything, the bot reads the sites again: if they differ from this "
        f"card{but}, the pairing stays."
    )
    emergency = (
        "\n*Break glass* is for emergencies: it breaks the pairing without further approvals. "
        f"{who}"
    )
    glass = emergency if request.terms.break_glass else ""
    return f"{approvals}.{please}\n{acts} {again} {others}{glass}"


def _time(request: Request) -> str:
    """When it is sent, in whose time, and until when and how it can be stopped."""
    if request.scheduled_at is None:
        return ""
    lines = [f"⏰ *Not before:* {not_before(request)}"]
    if request.state in UNDECIDED:
        late = when(request.scheduled_at + request.terms.execution_ttl_ms)
        lines.append(
            f"Once approved, it waits until then; if the break cannot begin by {late}, it expires."
        )
    if request.state in UNDECIDED or request.may_be_denied:
        lines.append(f"{may_stop_it(request)}.")
    return "\n".join(lines)


# ---- what the appliance said ---------------------------------------------------------------
def _plans(snapshot: Snapshot | None) -> str:
    """How recovery plans protect the replications comes first: that should stop somebody."""
    if snapshot is None:
        return "The appliance has not been read yet."
    if not snapshot.count:
        return "*No replications* use this pairing."
    if snapshot.protected:
        return f"⚠️ *{protected(snapshot)}*"
    if snapshot.complete:
        return "No replication is in a recovery plan."
    return "Recovery plans: unknown, since not all replications could be read."


def _names(snapshot: Snapshot | None) -> str:
    """Those in recovery plans, then the others, on lines of their own: beside a button names would
    be broken."""
    if snapshot is None:
        return ""
    guarded = [each for each in snapshot.replications if each.protected]
    others = [each for each in snapshot.replications if not each.protected]
    left = snapshot.count - snapshot.protected
    few = snapshot.count <= limits.ALL_SHOWN
    first = limits.ALL_SHOWN if few else limits.REPLICATIONS_SHOWN
    if not snapshot.protected:
        which = some(others, left, first)
        return f"Replications: {which}." if which else ""
    which = some(guarded, snapshot.protected, first)
    rest = some(others, left, limits.ALL_SHOWN if few else limits.OTHERS_SHOWN)
    lines = [f"In recovery plans: {which}." if which else ""]
    lines += [f"In no recovery plan: {rest}." if rest and snapshot.complete else ""]
    return "\n".join(filter(None, lines))


def _special(request: Request, earlier: str) -> list[str]:
    """What else should stop somebody, then what is worth knowing, and what it takes to have the
    pairing back."""
    snapshot = request.snapshot
    if snapshot is None:
        return []
    here, there = sites(request)
    warn, tell = [], []
    away = f"{there} could not be reached from {here}, {when(snapshot.read_at)}"
    if snapshot.remote_vrms.status == "ERROR" and request.force:
        tell.append(f"{away}.")
    elif snapshot.remote_vrms.status == "ERROR":
        warn.append(f"⚠️ {away}: an ordinary break needs it.")
    elif request.force and not snapshot.remote_down:
        warn.append(f"⚠️ {there} was reachable when this was read.")
    if request.earlier_attention:
        named, settled = earlier or code(request.earlier_attention), request.earlier_settled
        warn.append(
            f"⚠️ An earlier request for this pairing had no confirmed outcome. "
            f"{mention(settled.by)} settled it, {when(settled.at)}: {named}\n"
            f"{fence(settled.reason or '', limits.DECISION_REASON_SHOWN)}"
            if settled
            else "⚠️ An earlier request for this pairing has no confirmed outcome. Check it before "
            f"approving: {named}"
        )
    if snapshot.partial or not snapshot.complete:
        tell.append("Not everything could be read; the small print says why.")
    drops = who_drops(request)
    if request.force:
        drops = (
            f"*One-sided break:* only {here} drops the pairing. {there} keeps its half of it until "
            "somebody breaks it there as well."
        )
    back = f"{drops} {no_way_back(request)} The vendor's Reconnect does not bring the pairing back."
    issues = []
    if snapshot.issue_count:
        counted = count_of(snapshot.issue_count, "open issue")
        issues.append(f"{counted} reported by {here}'s appliance:")
        for issue in snapshot.issues[: limits.ISSUES_SHOWN]:
            about = f"{code(issue.entity)}: " if issue.entity else ""
            how = f" ({code(issue.status)})" if issue.status else ""
            told = code(issue.description, limits.LINE) if issue.description else "no description"
            issues.append(f"• {about}{told}{how}")
        left = snapshot.issue_count - len(issues) + 1
        issues += [f"• and {left:,} more"] if left > 0 else []
    return ["\n".join([*warn, back]), " ".join(tell), "\n".join(issues)]


def small_print(request: Request) -> str:
    """Whole names, ids and times. They serve to compare, not to decide."""
    snapshot = request.snapshot
    parts = [f"Request {code(request.id)}"]
    parts += [code(snapshot.title, limits.TITLE)] if snapshot else []
    pairing_id = request.pairing_id or (snapshot and snapshot.id)
    parts += [f"pairing id {code(pairing_id, limits.ID)}"] if pairing_id else []
    parts += [f"appliance {code(request.terms.appliance)}"] if request.terms.appliance else []
    if not request.state.open:
        return " · ".join(parts)
    parts += [f"state as of {when(snapshot.read_at)}"] if snapshot else []
    parts.append(f"asked {when(request.created_at)}")
    if snapshot and snapshot.partial:  # why not everything could be read, in its words
        shown = snapshot.partial[: limits.PARTIAL_SHOWN]
        left = len(snapshot.partial) - len(shown)
        why = "; ".join(code(words, limits.LINE) for words in shown)
        parts.append(f"not everything read: {why}{f'; and {left} more' if left > 0 else ''}")
    return " · ".join(parts)
