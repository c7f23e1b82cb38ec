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
from bot.slack.draw.buttons import card_buttons, names_button, some
from bot.slack.draw.markup import (
    ALL_SHOWN,
    DECISION_REASON_SHOWN,
    ID,
    ISSUES_SHOWN,
    NAME,
    OTHERS_SHOWN,
    PARTIAL_SHOWN,
    REASON_IN_TEXT,
    REASON_SHOWN,
    REPLICATIONS_SHOWN,
    code,
    context,
    drawn,
    fence,
    header,
    line,
    mention,
    mentions,
    name,
    section,
    tidy,
    when,
)
from bot.slack.draw.words.notices import GLASS_ALONE, GLASS_OFFERED, glass_reason, glass_void
from bot.slack.draw.words.outcomes import ending
from bot.slack.draw.words.phrases import (
    ORDINALS,
    may_stop_it,
    no_way_back,
    not_before,
    protected,
    tally,
    to_call,
    who_decided,
    who_drops,
)
from bot.slack.draw.words.sites import (
    between,
    count_of,
    extent,
    local_site,
    place,
    remote_site,
    what,
    whole_names,
)
from bot.slack.draw.words.states import STATES

DRY_RUN = "🧪 *Dry run: nothing will be deleted.*"
_SITE_IN_HEADING = 40


def card(request: Request, earlier: str = "") -> Drawn:
    """One message, always the same for the same row. `earlier` leads to the card of the earlier
    request that has no confirmed outcome (see `earlier_card`)."""
    # The same for phones and screen readers, whose text has less room.
    brief = said(request, earlier, REASON_IN_TEXT)
    plans, names = _plans(request), names_button(request)
    return drawn(
        "\n".join([heading(request), *brief, small_print(request)]),
        header(heading(request)),
        *(
            section(each, names if each == plans else None)
            for each in said(request, earlier, REASON_SHOWN)
        ),
        context(small_print(request)),
        card_buttons(request),
    )


def heading(request: Request) -> str:
    """What is asked, with what hangs on it; then how far it is; in the end what was done. It does
    not say "nothing was sent" if the appliance turned a DELETE away, since that one was sent. And
    it does not say "approved" after a break glass, even if there were approvals before."""
    words = STATES[request.state]
    if request.state in UNDECIDED:
        return f"{words.mark} Break pairing {between(request, _SITE_IN_HEADING)}{extent(request)}"
    said = words.heading
    if request.waits_for_its_time:
        said = "Approved, waits until its time"  # a header cannot show it in everybody's time zone
    if request.state.open and request.glass is not None:
        return f"🚨 Break glass{said.removeprefix('Approved')}"
    if request.outcome is not None:
        said = ending(request, request.correction or request.outcome).heading or said
    if request.turned_away is not None:
        said = said.replace("nothing was sent", "nothing was accepted")
    return f"{words.mark} {said}"


def said(request: Request, earlier: str, limit: int = REASON_SHOWN) -> list[str]:
    """All that is between heading and small print, a section each. `limit` is for the reason."""
    parts = _open if request.state.open else _over
    return [part for part in parts(request, earlier, limit) if part]


def _open(request: Request, earlier: str, limit: int) -> list[str]:
    """Who asks and why, what hangs on it, how it is decided, and what each button does."""
    undecided = request.state in UNDECIDED
    where = place(request)
    lines = [DRY_RUN] if request.terms.dry_run else []
    lines += [] if undecided else [f"{what(request)}."]
    decided = who_decided(request) if not undecided and not request.glass else ""
    if request.waits_for_its_time and request.scheduled_at is not None:
        waits = "Waits" if request.glass else "Approved, waits"
        decided = f"*{waits} until {when(request.scheduled_at)}.* {decided}".strip()
    lines += [decided] if decided else []
    lines.append(f"{mention(request.requester)} asks.{f' {where}.' if where else ''}")
    lines += ["Reason, as typed:"] if tidy(request.reason) else []
    approvals = f"*Approvals:* {tally(request)}"
    approvals += f", by {mentions(d.by for d in request.approvals)}" if request.approvals else ""
    if undecided:
        ends = request.decide_by
        late = "then the request expires and the pairing stays"
        approvals += f". Deadline for approvals: {when(ends)}, {late}" if ends is not None else ""
        called = to_call(request)
        please = f" Please decide: {called}" if called else ""
        approvals = f"{approvals}.{please}\n{_what_buttons_do(request)}"
    return [
        "\n".join(lines),
        _why(request, limit),  # by itself, so that the longest one is not cut
        _glass(request),
        _plans(request),
        _names(request),
        *_special(request, earlier),
        _time(request) if request.scheduled_at is not None else "",
        approvals if undecided or request.glass else "",
    ]


def _over(request: Request, earlier: str, limit: int) -> list[str]:
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
        lines.append(fence(request.denial.reason, min(limit, DECISION_REASON_SHOWN)))
    step = f"*Next step:* {end.next_step}" if end else ""
    return ["\n".join(lines), _glass(request), f"Asked because:\n{_why(request, limit)}", step]


def _why(request: Request, limit: int) -> str:
    return fence(request.reason, limit) if tidy(request.reason) else "No reason was given."


def _glass(request: Request) -> str:
    """Who broke the glass and why, or that somebody had and it no longer counts."""
    lost = glass_void(request.glass_lost) if request.glass_lost else ""
    return glass_reason(request) or lost


def _what_buttons_do(request: Request) -> str:
    needed = request.terms.approvals_required
    which = f"The {ORDINALS[needed]} approval" if needed < len(ORDINALS) else f"Approval {needed}"
    which = "One approval" if needed == 1 else which
    does = "starts the dry run" if request.terms.dry_run else "breaks the pairing"
    at = request.scheduled_at
    asker = mention(request.requester)
    others = (
        f"One *Deny* ends the request, the pairing stays. Only {asker} can *Withdraw* the request."
    )
    whole = request.snapshot is None or request.snapshot.complete
    but = "" if whole else " (of the replications only the number is compared)"
    again = (
        "Before it breaks anything, the bot reads the sites again: if they differ from this "
        f"card{but}, the pairing stays."
    )
    acts = f"{which} {does} at once."
    if at is not None:
        acts = f"{which} decides that the bot {does}, {when(at)}."
    lines = [f"{acts} {again} {others}"]
    if request.glass_alone:
        lines[0] = f"{GLASS_ALONE} {others}"
    elif request.terms.break_glass:
        lines.append(GLASS_OFFERED)
    return "\n".join(lines)


def _time(request: Request) -> str:
    """When it is sent, in whose time, and until when and how it can be stopped."""
    lines = [f"⏰ *Not before:* {not_before(request)}"]
    if request.state in UNDECIDED and request.scheduled_at is not None:
        late = when(request.scheduled_at + request.terms.execution_ttl_ms)
        lines.append(
            f"Once approved, it waits until then; if the break cannot begin by {late}, it expires."
        )
    if request.state in UNDECIDED or request.may_be_denied:
        lines.append(f"{may_stop_it(request)}.")
    return "\n".join(lines)


# ---- what the appliance said ---------------------------------------------------------------
def _plans(request: Request) -> str:
    """How recovery plans protect the replications comes first: that should stop somebody."""
    snapshot = request.snapshot
    if snapshot is None:
        return "The appliance has not been read yet."
    if not snapshot.count:
        return "*No replications* use this pairing."
    if snapshot.protected:
        return f"⚠️ *{protected(snapshot)}*"
    if snapshot.complete:
        return "No replication is in a recovery plan."
    return "Recovery plans: unknown, since not all replications could be read."


def _names(request: Request) -> str:
    """Those in recovery plans, then the others, on lines of their own: beside a button names would
    be broken."""
    snapshot = request.snapshot
    if snapshot is None:
        return ""
    guarded = [each for each in snapshot.replications if each.protected]
    others = [each for each in snapshot.replications if not each.protected]
    left = snapshot.count - snapshot.protected
    few = snapshot.count <= ALL_SHOWN
    if not snapshot.protected:
        which = some(others, left, ALL_SHOWN if few else REPLICATIONS_SHOWN)
        return f"Replications: {which}." if which else ""
    which = some(guarded, snapshot.protected, ALL_SHOWN if few else REPLICATIONS_SHOWN)
    rest = some(others, left, ALL_SHOWN if few else OTHERS_SHOWN)
    lines = [f"In recovery plans: {which}." if which else ""]
    lines += [f"In no recovery plan: {rest}." if rest and snapshot.complete else ""]
    return "\n".join(filter(None, lines))


def _special(request: Request, earlier: str) -> list[str]:
    """What else should stop somebody, then what is worth knowing, and what it takes to have the
    pairing back."""
    snapshot = request.snapshot
    if snapshot is None:
        return []
    warn, tell = [], []
    there, then = remote_site(request), when(snapshot.read_at)
    away = f"{there} could not be reached from {local_site(request)}, {then}"
    if snapshot.remote_vrms.status == "ERROR" and request.force:
        tell.append(f"{away}.")
    elif snapshot.remote_vrms.status == "ERROR":
        warn.append(f"⚠️ {away}: an ordinary break needs it.")
    elif request.force and not snapshot.remote_down:
        warn.append(f"⚠️ {remote_site(request)} was reachable when this was read.")
    if request.earlier_attention:
        warn.append(
            "⚠️ An earlier request for this pairing has no confirmed outcome. Check it before "
            f"approving: {earlier or code(request.earlier_attention)}"
        )
    if snapshot.partial or not snapshot.complete:
        tell.append("Not everything could be read; the small print says why.")
    drops = who_drops(request)
    if request.force:
        drops = f"*One-sided break:* only {local_site(request)} drops the pairing. "
        drops += (
            f"{remote_site(request)} keeps its half of it until somebody breaks it there as well."
        )
    back = f"{drops} {no_way_back(request)} The vendor's Reconnect does not bring the pairing back."
    return ["\n".join([*warn, back]), " ".join(tell), "\n".join(_issues(request, snapshot))]


def _issues(request: Request, snapshot: Snapshot) -> list[str]:
    if not snapshot.issue_count:
        return []
    counted = count_of(snapshot.issue_count, "open issue")
    lines = [f"{counted} reported by {local_site(request)}'s appliance:"]
    shown = snapshot.issues[:ISSUES_SHOWN]
    for issue in shown:
        about = f"{name(issue.entity)}: " if issue.entity else ""
        how = f" ({line(issue.status, NAME)})" if issue.status else ""
        lines.append(f"• {about}{line(issue.description or 'no description')}{how}")
    left = snapshot.issue_count - len(shown)
    return [*lines, f"• and {left:,} more"] if left > 0 else lines


def small_print(request: Request) -> str:
    """Whole names, ids and times. They serve to compare, not to decide."""
    parts = [f"Request {code(request.id)}"]
    parts += [whole_names(request)] if request.snapshot else []
    pairing_id = request.pairing_id or (request.snapshot and request.snapshot.pairing_id)
    parts += [f"pairing id {code(pairing_id, ID)}"] if pairing_id else []
    parts += [f"appliance {code(request.terms.appliance)}"] if request.terms.appliance else []
    if request.also_at:
        parts.append(f"also seen from {', '.join(name(site) for site in request.also_at)}")
    if request.state.open:
        parts += [f"state as of {when(request.snapshot.read_at)}"] if request.snapshot else []
        parts.append(f"asked {when(request.created_at)}")
        parts += _not_read(request.snapshot) if request.snapshot else []
    return " · ".join(parts)


def _not_read(snapshot: Snapshot) -> list[str]:
    """Why not everything could be read, in the appliance's words."""
    if not snapshot.partial:
        return []
    left = len(snapshot.partial) - PARTIAL_SHOWN
    why = "; ".join(line(words).rstrip(".") for words in snapshot.partial[:PARTIAL_SHOWN])
    return [f"not everything read: {why}{f'; and {left} more' if left > 0 else ''}"]
