"""The buttons of a card and of its final reply, what Approve asks back, and the links that lead to
a card."""

from __future__ import annotations

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, ConfirmObject

from bot.request.model import UNDECIDED, Request, State
from bot.request.pairing import Replication
from bot.slack.draw import ids, limits
from bot.slack.draw.markup import button, code, markdown, mention, name, units
from bot.slack.draw.words.pairing_names import protected, what, who_drops
from bot.slack.draw.words.phrases import open_card


def card_buttons(request: Request) -> Block | None:
    """All of them while it is undecided, only Withdraw until the DELETE is sent, and with a time
    for that Deny as well, then none.

    `checking` is drawn like `pending`: the row becomes `pending` once Slack has answered the post.
    """
    undecided = request.state in UNDECIDED
    if not undecided and request.state is not State.APPROVED:
        return None
    value = value_of(request)
    shown = [_approve(request, value)] if undecided and not request.glass_alone else []
    if undecided or request.may_be_denied:
        shown.append(button("Deny", ids.UNPAIR_DENY, value, label=f"Deny request {request.id}"))
    label = f"Withdraw request {request.id}, for who asked"
    shown.append(button("Withdraw", ids.UNPAIR_CANCEL, value, label=label))
    if undecided and request.terms.break_glass:
        # Red only where there is no red Approve beside it.
        label = f"Break glass on request {request.id}: decide alone, with a reason"
        red = request.glass_alone
        shown.append(button("Break glass", ids.UNPAIR_BREAK_GLASS, value, label=label, danger=red))
    return ActionsBlock(elements=shown)


def look_buttons(request: Request) -> Block:
    """For the final reply of a request that a person must check, until somebody has settled it."""
    value = value_of(request)
    label = f"Look again at request {request.id}, changes nothing"
    shown = [button("Look again", ids.UNPAIR_LOOK, value, label=label)]
    if request.unresolved:
        label = f"Settle request {request.id}, with words on what became of it"
        shown.append(button("It is settled", ids.UNPAIR_SETTLE, value, label=label))
    return ActionsBlock(elements=shown)


def names_button(request: Request) -> ButtonElement | None:
    """Beside the names, where not all of them are on the card, while it can be decided."""
    known = request.snapshot.replications if request.snapshot else ()
    if request.state not in UNDECIDED or len(known) <= limits.ALL_SHOWN:
        return None
    label = f"Names of all replications of request {request.id}"
    return button("All names", ids.UNPAIR_NAMES, value_of(request), label=label)


def value_of(request: Request) -> str:
    fingerprint = request.fingerprint or ids.NO_FINGERPRINT
    return ids.ButtonValue(request_id=request.id, fingerprint=fingerprint).pack()


def _approve(request: Request, value: str) -> ButtonElement:
    """Asks back with what is approved, within the 300 characters of the dialog: as many names of
    protected VMs as fit, so that nothing else is cut off."""
    dry = request.terms.dry_run
    end = "Dry run: nothing will be deleted."
    if not dry:
        at = "Not before the time on the card. " if request.scheduled_at is not None else ""
        end = f"{at}{who_drops(request, limits.SITE_IN_QUESTION)} This can't be undone."
    first = f"{what(request, limits.SITE_IN_QUESTION)}."
    last = f"Asked by {mention(request.requester)}. {end}"
    question = f"{first}\n{last}"
    snapshot = request.snapshot
    if snapshot is not None and snapshot.protected:
        told = protected(snapshot)
        guarded = [each for each in snapshot.replications if each.protected]
        named = some(guarded, snapshot.protected, limits.REPLICATIONS_SHOWN)
        whole = f"{first}\n{told}: {named}.\n{last}"
        fits = named and units(whole) <= limits.CONFIRM_TEXT
        question = whole if fits else f"{first}\n{told}.\n{last}"
    confirm = ConfirmObject(
        title="Approve this dry run?" if dry else "Break this pairing?",
        text=markdown(question, limits.CONFIRM_TEXT),
        confirm="Approve",
        deny="Not now",
        style="danger",
    )
    label = f"Approve request {request.id}"
    return button("Approve", ids.UNPAIR_APPROVE, value, label=label, danger=True, confirm=confirm)


def some(replications: list[Replication], count: int, most: int) -> str:
    """The first names, and how many more. Empty where no name is known."""
    shown = [name(each.name) for each in replications[:most]]
    left = count - len(shown)
    return f"{', '.join(shown)}{f' and {left:,} more' if left > 0 else ''}" if shown else ""


# ---- links to a card ---------------------------------------------------------------------------
def card_url(request: Request, workspace_url: str | None) -> str | None:
    """The same address that "Copy link" gives. It is put together here, since chat.getPermalink
    (Slack docs) would cost a call for each card. `workspace_url` comes from `auth.test`. None
    without it, and while there is no card."""
    if not workspace_url or request.card_ts is None:
        return None
    ts = request.card_ts.replace(".", "")
    return f"{workspace_url.rstrip('/')}/archives/{request.channel}/p{ts}"


def earlier_card(request: Request | str, command: str, workspace_url: str | None) -> str:
    """A link to the card, or the command that leads there. Of a request, or of its id alone."""
    url = card_url(request, workspace_url) if isinstance(request, Request) else None
    its_id = request.id if isinstance(request, Request) else request
    if url:
        return open_card(its_id, url)
    return f"{code(f'{command} status {its_id}')} leads to its card."
