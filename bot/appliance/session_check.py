"""The lines of `check` about what an appliance says: log-in, version, clock, pairings, rights."""

from __future__ import annotations

from collections.abc import Iterator

from bot.appliance.errors import (
    Answered,
    ApplianceError,
    HeldBack,
    Limited,
    LoginRefused,
    OverBudget,
    Refused,
    Unavailable,
)
from bot.appliance.looking import Site, said
from bot.appliance.models import Pairing
from bot.core.finding import Finding, fine, note, skipped, wrong
from bot.core.snapshot import same_id

LOGIN, VERSION, CLOCK = "appliance-login", "appliance-version", "appliance-clock"
PAIRINGS, PRIVILEGE, REMOTE = "appliance-pairings", "appliance-privilege", "appliance-remote"

NEEDED_PRIVILEGE = "HmsRemote.com.vmware.vcHms.Hms.Manage"
"""For the DELETE (vendor OpenAPI, DELETE /pairings/{pairing_id})."""

SKEW_SECONDS = 60
"""Matters only to people who compare two logs: the bot never compares the two clocks."""

REMOTE_TRIED = 5
"""How many pairings are tried until one is found whose remote site is not away."""


def login(site: Site) -> Iterator[Finding]:
    """One log-in, unless one was refused already: SSO locks an account after a few."""
    look = site.first()
    credentials = f"{site.prefix}USERNAME and {site.prefix}PASSWORD"
    if site.refused and not look.logged_in:
        yield skipped(LOGIN, "a person: it is not tried again by itself", about=site.about)
        return
    try:
        look.log_in()
    except LoginRefused as error:
        site.refused = True
        step = (
            f"correct {credentials} or unlock the account before the next try: SSO locks an "
            f"account after a few refusals"
        )
        yield wrong(LOGIN, said(error), step, about=site.about)
    except OverBudget as error:
        yield skipped(LOGIN, f"room: {said(error)}", about=site.about)
    except HeldBack as error:
        # It was not tried, but it is a failure all the same: an earlier log-in was refused, this
        # copy's or another's.
        site.refused = True
        step = f"correct {credentials} or unlock the account, and look again after that time"
        yield wrong(LOGIN, said(error), step, about=site.about)
    except Answered as error:
        yield wrong(LOGIN, said(error), _after_an_answer(site, error), about=site.about)
    except ApplianceError as error:
        # Only the look at the start gets here: `check` has lines about the way before this one.
        step = "is the appliance up? `vr-unpair check` has a line for each step of the way to it"
        yield wrong(LOGIN, said(error), step, about=site.about)
    else:
        site.refused = False
        yield fine(LOGIN, f"as the user of {site.prefix}USERNAME", about=site.about)


def _after_an_answer(site: Site, error: Answered) -> str:
    """The next step after an answer to the log-in. It may come from the wrong server."""
    if isinstance(error, Limited | Unavailable):
        return "look again after that time"
    if isinstance(error, Refused):
        return "look into the appliance's own log"
    return (
        f"is {site.prefix}HOST the vSphere Replication appliance and no vCenter, and is "
        f"{site.prefix}BASE_PATH right?"
    )


def version(site: Site) -> Iterator[Finding]:
    """`GET /info`: whether the session works, and which version answers."""
    try:
        info, says = site.first().info()
    except OverBudget as error:
        yield skipped(VERSION, f"room: {said(error)}", about=site.about)
        return
    except ApplianceError as error:
        step = f"is {site.prefix}BASE_PATH right, and is the service up?"
        yield wrong(VERSION, said(error), step, about=site.about)
        return
    site.clock = (says, site.now())
    words = f"{info.name or 'the appliance'}, version {info.version or 'not told'}"
    if info.server_status == "ERROR":
        step = "look at it in the vSphere Client, Site Recovery"
        yield note(VERSION, f"{words}, which says ERROR of itself", step, about=site.about)
    else:
        yield fine(VERSION, words, about=site.about)


def clock(site: Site) -> Iterator[Finding]:
    """A hint, never a failure: a wrong clock only disturbs people who compare logs."""
    says, ours = site.clock
    if says is None:
        yield note(CLOCK, "the appliance does not tell its time", about=site.about)
        return
    ahead = round(says.timestamp() - ours)
    if abs(ahead) <= SKEW_SECONDS:
        yield fine(CLOCK, f"within {SKEW_SECONDS} s of ours", about=site.about)
    else:
        words = f"{abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} ours"
        step = "set both by NTP, so that logs can be compared"
        yield note(CLOCK, words, step, about=site.about)


def pairings(site: Site) -> Iterator[Finding]:
    """Whether they can be read at all, and how many there are."""
    try:
        site.pairings = site.calls().pairings()
    except ApplianceError as error:
        step = "give the user the right to read them"
        if not isinstance(error, Refused):
            step = "look again, and into the appliance's own log"
        yield wrong(PAIRINGS, said(error), step, about=site.about)
        return
    count = len(site.pairings.items)
    words = f"{count} {'pairing' if count == 1 else 'pairings'}"
    if count == 0:
        step = "is this the right appliance?"
        yield note(PAIRINGS, "there are none", step, about=site.about)
    else:
        yield fine(PAIRINGS, words, about=site.about)


def privilege(site: Site) -> Iterator[Finding]:
    """Only names it: this API has no call that tells rights (vendor OpenAPI)."""
    words = f"the DELETE needs {NEEDED_PRIVILEGE}; that cannot be read, so it was not tried"
    yield note(PRIVILEGE, words, "look it up in the vSphere Client", about=site.about)


def remote(site: Site) -> Iterator[Finding]:
    """Whether the other sites of the pairings are there, and accept their user."""
    found = [p for p in site.pairings.items if not _with_itself(p)]
    away = [p for p in found if p.remote_vrms and p.remote_vrms.server_status == "ERROR"]
    for pairing in away:
        words = f"the remote site of {_title(pairing)} cannot be reached"
        step = "bring it back; where it is gone for good, --force breaks this half alone"
        yield wrong(REMOTE, words, step, about=_place(site, pairing))
    there = [p for p in found if p not in away]
    if site.remote:
        yield from _logged_in(site, there)
    elif not away:
        yield _without_user(site)


def _logged_in(site: Site, found: list[Pairing]) -> Iterator[Finding]:
    """One log-in, however many pairings there are: all of them use the same user."""
    user = f"{site.prefix}REMOTE_USERNAME"
    for pairing in found[:REMOTE_TRIED]:
        about = _place(site, pairing)
        try:
            site.calls().ensure_remote_session(pairing.pairing_id)
        except LoginRefused as error:
            step = f"correct {user} and {site.prefix}REMOTE_PASSWORD before the next try"
            yield wrong(REMOTE, said(error), step, about=about)
            return
        except ApplianceError as error:
            step = "is the remote site up?"
            yield wrong(REMOTE, f"{_title(pairing)}: {said(error)}", step, about=about)
        else:
            words = f"logged in to the remote site of {_title(pairing)} as the user of {user}"
            yield fine(REMOTE, words, about=about)
            return
    if not found:
        words = f"there is no remote site to log in to as the user of {user}"
        yield note(REMOTE, words, about=site.about)


def _without_user(site: Site) -> Finding:
    users = f"{site.prefix}REMOTE_USERNAME and {site.prefix}REMOTE_PASSWORD"
    if site.pairings.partial:
        told = "; ".join(e.message or e.code or "?" for e in site.pairings.errors[:3])
        step = f"where the remote site has an SSO of its own, set {users}"
        return wrong(REMOTE, f"not all could be read: {told}", step, about=site.about)
    words = "no user of its own is set, which is right where both sites share one SSO"
    return fine(REMOTE, words, about=site.about)


def _with_itself(pairing: Pairing) -> bool:
    local, remote = pairing.local_vc_server, pairing.remote_vc_server
    return (
        local is not None
        and remote is not None
        and local.id is not None
        and same_id(local.id, remote.id)
    )


def _title(pairing: Pairing) -> str:
    ends = (pairing.local_vc_server, pairing.remote_vc_server)
    names = [end.name for end in ends if end and end.name]
    return " to ".join(names) if len(names) == len(ends) else pairing.pairing_id


def _place(site: Site, pairing: Pairing) -> str:
    return f"{site.about} {pairing.pairing_id}".strip()
