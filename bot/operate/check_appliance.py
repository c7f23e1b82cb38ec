"""The lines of `check` about an appliance: the way to it, the log-in, and what it says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.appliance import tls
from bot.appliance.budget import Priority
from bot.appliance.client import Appliance, Calls
from bot.appliance.errors import (
    Answered,
    ApplianceError,
    HeldBack,
    Limited,
    LoginRefused,
    NotSent,
    OverBudget,
    Refused,
    TlsFailed,
    Unavailable,
)
from bot.appliance.models import Listing, Pairing
from bot.appliance.tls import Trust
from bot.operate.check_lines import Check, Line, fine, note, skipped, wrong
from bot.request.pairing import same_id
from bot.settings import ApplianceSettings

REACHABLE, TRUSTED = "appliance-reachable", "appliance-trusted"
LOGIN, VERSION = "appliance-login", "appliance-version"
PAIRINGS, PRIVILEGE, REMOTE = "appliance-pairings", "appliance-privilege", "appliance-remote"

NEEDED_PRIVILEGE = "HmsRemote.com.vmware.vcHms.Hms.Manage"
"""For the DELETE (vendor OpenAPI, DELETE /pairings/{pairing_id})."""

REMOTE_TRIED = 5
"""How many pairings are tried until one is found whose remote site is not away."""

LASTS_TIMEOUTS = 6
"""All calls of one line together, in timeouts: a log-in and some reads, each may be slow."""


@dataclass
class Site:
    """One appliance. `about` names it in each line if there are several; `prefix` begins the names
    of its settings. `refused` stays true after a refused log-in: a check that is repeated by itself
    must not try the same password again."""

    appliance: Appliance
    settings: ApplianceSettings
    trust: Trust
    about: str
    prefix: str
    priority: Priority = Priority.ACT
    refused: bool = False
    pairings: Listing[Pairing] = field(default_factory=Listing[Pairing])
    _knocked: tuple[NotSent | None] | None = None

    def all(self) -> tuple[Check, ...]:
        return (
            (REACHABLE, "", lambda: [reachable(self)]),
            (TRUSTED, REACHABLE, lambda: [trusted(self)]),
            (LOGIN, TRUSTED, lambda: [login(self)]),
            (VERSION, LOGIN, lambda: [version(self)]),
            (PAIRINGS, VERSION, lambda: [pairings(self)]),
            (PRIVILEGE, VERSION, lambda: [privilege(self)]),
            (REMOTE, PAIRINGS, lambda: remote(self)),
        )

    def at_start(self) -> tuple[Check, ...]:
        """No lines about the way there: the log-in takes it too, and its error says what is wrong.
        Remote sites are never logged in to: their refusals are kept in memory only, so a loop of
        restarts would lock that account."""
        return (LOGIN, "", lambda: [login(self)]), (VERSION, LOGIN, lambda: [version(self)])

    @property
    def host(self) -> str:
        return self.appliance.host

    def calls(self) -> Calls:
        return self.appliance.calls(self.priority, self._by())

    def knocked(self) -> NotSent | None:
        """Why nothing can be sent, or None. Found out once, then remembered."""
        if self._knocked is None:
            try:
                self.calls().knock()
            except NotSent as error:
                self._knocked = (error,)
            else:
                self._knocked = (None,)
        return self._knocked[0]

    def _by(self) -> float:
        return time.monotonic() + LASTS_TIMEOUTS * self.settings.timeout_seconds


def said(error: ApplianceError) -> str:
    """The sentence without its full stop, with the appliance's own words unchanged."""
    words = str(error).rstrip(".")
    own = {"error_code": error.error_code, "message": error.message, "op_id": error.op_id}
    told = ", ".join(f"{name} {value}" for name, value in own.items() if value)
    return f"{words} ({told})" if told else words


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)


def reachable(site: Site) -> Line:
    """Whether somebody listens there, directly or behind the proxy, which the error names then."""
    proxy = tls.proxy_of(site.host)
    error = site.knocked()
    if error is None or isinstance(error, TlsFailed):
        return fine(
            REACHABLE, f"{site.host} {f'through the proxy {proxy}' if proxy else ''}".rstrip()
        )
    step = f"is {site.prefix}HOST right, is it up, and does a firewall stand between?"
    if proxy:
        step = "is the proxy up, and does it let the bot through? NO_PROXY goes around it"
    return wrong(REACHABLE, said(error), step)


def trusted(site: Site) -> Line:
    """Whether it is the trusted appliance. If not, which certificate it shows instead."""
    error = site.knocked()
    if error is None:
        return fine(TRUSTED, f"by {site.trust.how}")
    words, step = _stranger(site)
    return wrong(TRUSTED, f"{said(error)}. {words}", step)


def _stranger(site: Site) -> tuple[str, str]:
    pin, ca = f"{site.prefix}FINGERPRINT", f"{site.prefix}CA_FILE"
    if tls.proxy_of(site.host):
        step = f"read its SHA-256 on the appliance's own console, for {pin}, or set {ca}"
        return "Its certificate cannot be read through a proxy", step
    target, port = tls.place(site.host)
    try:
        served = tls.served_fingerprint(target, port, site.settings.timeout_seconds)
    except OSError as error:
        return f"No certificate is shown there ({_why(error)})", f"correct {site.prefix}HOST"
    step = (
        f"compare it with what the appliance's own console says; only where both are the same set "
        f"{pin} to it, or set {ca} to the authority's file"
    )
    return f"The certificate that is shown has the SHA-256 {served}", step


def login(site: Site) -> Line:
    """One log-in, unless one was refused already: SSO locks an account after a few."""
    look = site.calls()
    credentials = f"{site.prefix}USERNAME and {site.prefix}PASSWORD"
    if site.refused and not look.logged_in:
        return skipped(LOGIN, "a person: it is not tried again by itself")
    try:
        look.log_in()
    except LoginRefused as error:
        site.refused = True
        words = said(error)
        step = (
            f"correct {credentials} or unlock the account before the next try: SSO locks an "
            f"account after a few refusals"
        )
    except OverBudget as error:
        return skipped(LOGIN, f"room: {said(error)}")
    except HeldBack as error:
        # It was not tried, but it is a failure all the same: an earlier log-in was refused, this
        # copy's or another's.
        site.refused = True
        words = said(error)
        step = f"correct {credentials} or unlock the account, and look again after that time"
    except Answered as error:
        words, step = said(error), _after_an_answer(site, error)
    except ApplianceError as error:
        # Only the check at the start gets here: `check` has lines about the way before this one.
        words = said(error)
        step = "is the appliance up? `vr-unpair check` has a line for each step of the way to it"
    else:
        site.refused = False
        return fine(LOGIN, f"as the user of {site.prefix}USERNAME")
    return wrong(LOGIN, words, step)


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


def version(site: Site) -> Line:
    """`GET /info`: whether the session works, and which version answers."""
    try:
        info = site.calls().info()
    except OverBudget as error:
        return skipped(VERSION, f"room: {said(error)}")
    except ApplianceError as error:
        step = f"is {site.prefix}BASE_PATH right, and is the service up?"
        return wrong(VERSION, said(error), step)
    words = f"{info.name or 'the appliance'}, version {info.version or 'not told'}"
    if info.server_status == "ERROR":
        step = "look at it in the vSphere Client, Site Recovery"
        return note(VERSION, f"{words}, which says ERROR of itself", step)
    return fine(VERSION, words)


def pairings(site: Site) -> Line:
    """Whether they can be read at all, and how many there are."""
    try:
        site.pairings = site.calls().pairings()
    except ApplianceError as error:
        step = "give the user the right to read them"
        if not isinstance(error, Refused):
            step = "look again, and into the appliance's own log"
        return wrong(PAIRINGS, said(error), step)
    count = len(site.pairings.items)
    if count == 0:
        return note(PAIRINGS, "there are none", "is this the right appliance?")
    words = f"{count} {'pairing' if count == 1 else 'pairings'}"
    return fine(PAIRINGS, words)


def privilege(site: Site) -> Line:
    """Only names it: this API has no call that tells rights (vendor OpenAPI)."""
    words = f"the DELETE needs {NEEDED_PRIVILEGE}; that cannot be read, so it was not tried"
    return note(PRIVILEGE, words, "look it up in the vSphere Client")


def remote(site: Site) -> Iterator[Line]:
    """Whether the other sites of the pairings are there, and accept their user."""
    found = [p for p in site.pairings.items if not _with_itself(p)]
    away = [p for p in found if p.remote_vrms and p.remote_vrms.server_status == "ERROR"]
    for pairing in away:
        words = f"the remote site of {_title(pairing)} cannot be reached"
        step = "bring it back; where it is gone for good, --force breaks this half alone"
        yield wrong(REMOTE, words, step, about=_place(site, pairing))
    if site.settings.remote_username is not None:
        yield from _logged_in(site, [p for p in found if p not in away])
    elif site.pairings.partial and not away:
        told = "; ".join(e.message or e.code or "?" for e in site.pairings.errors[:3])
        users = f"{site.prefix}REMOTE_USERNAME and {site.prefix}REMOTE_PASSWORD"
        step = f"where the remote site has an SSO of its own, set {users}"
        yield wrong(REMOTE, f"not all could be read: {told}", step)
    elif not away:
        words = "no user of its own is set, which is right where both sites share one SSO"
        yield fine(REMOTE, words)


def _logged_in(site: Site, found: list[Pairing]) -> Iterator[Line]:
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
            words = f"{_title(pairing)}: {said(error)}"
            yield wrong(REMOTE, words, "is the remote site up?", about=about)
        else:
            words = f"logged in to the remote site of {_title(pairing)} as the user of {user}"
            yield fine(REMOTE, words, about=about)
            return
    if not found:
        words = f"there is no remote site to log in to as the user of {user}"
        yield note(REMOTE, words)


def _with_itself(pairing: Pairing) -> bool:
    local, remote = pairing.local_vc_server, pairing.remote_vc_server
    return bool(local and remote and local.id and remote.id and same_id(local.id, remote.id))


def _title(pairing: Pairing) -> str:
    ends = (pairing.local_vc_server, pairing.remote_vc_server)
    names = [end.name for end in ends if end and end.name]
    return " to ".join(names) if len(names) == len(ends) else pairing.pairing_id


def _place(site: Site, pairing: Pairing) -> str:
    return f"{site.about} {pairing.pairing_id}".strip()
