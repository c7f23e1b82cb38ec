"""The lines of `check` about an appliance: the way to it, the log-in, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.appliance import tls
from bot.appliance.appliance import Appliance
from bot.appliance.budget import Priority
from bot.appliance.calls import Calls
from bot.appliance.http_answers import CallError, TlsFailed
from bot.appliance.listing import Listing
from bot.appliance.session import Credentials
from bot.operate.check_line import Check, Line, fine, note, skipped, wrong
from bot.request.pairing import Pairing
from bot.request.problem import ProblemKind
from bot.settings import ApplianceSettings

REACHABLE, TRUSTED = "appliance-reachable", "appliance-trusted"
LOGIN, VERSION = "appliance-login", "appliance-version"
PAIRINGS, PRIVILEGE, REMOTE = "appliance-pairings", "appliance-privilege", "appliance-remote"

NEEDED_PRIVILEGE = "HmsRemote.com.vmware.vcHms.Hms.Manage"
"""For the DELETE (vendor OpenAPI, DELETE /pairings/{pairing_id})."""

CERTIFICATE_SOON = timedelta(days=30)
"""So long before its end a certificate is spoken of."""

REFUSED = frozenset({ProblemKind.LOGIN_REFUSED, ProblemKind.LOGIN_REST, ProblemKind.UNPROVEN})


@dataclass
class Site:
    """One appliance. `about` names it in each line if there are several; `prefix` begins the names
    of its settings. `refused`: whose log-in was refused last. A check that is repeated by itself
    must not try the same password again."""

    appliance: Appliance
    settings: ApplianceSettings
    trusted_by: str
    about: str
    prefix: str
    refused: Credentials | None = None
    not_sent: CallError | None = None
    pairings: Listing[Pairing] = field(default_factory=Listing[Pairing])

    def calls(self) -> Calls:
        return self.appliance.calls(Priority.LOOKUP)


def everything(site: Site) -> Iterator[Check]:
    yield Check(REACHABLE, partial(reachable, site))
    yield Check(TRUSTED, partial(trusted, site), (REACHABLE,))
    yield Check(LOGIN, partial(login, site), (TRUSTED,))
    yield Check(VERSION, partial(version, site), (LOGIN,))
    yield Check(PAIRINGS, partial(pairings, site), (VERSION,))
    # Only named: this API has no call that tells rights (vendor OpenAPI).
    words = f"the DELETE needs {NEEDED_PRIVILEGE}; that cannot be read, so it was not tried"
    yield Check(PRIVILEGE, note(words, "look it up in the vSphere Client"), (VERSION,))
    yield Check(REMOTE, partial(remote, site), (PAIRINGS,))


def at_start(site: Site) -> Iterator[Check]:
    """No lines about the way there: the log-in takes it too, and its error says what is wrong.
    Remote sites are never logged in to: their refusals are kept in memory only, so a loop of
    restarts would lock that account."""
    yield Check(LOGIN, partial(login, site))
    yield Check(VERSION, partial(version, site), (LOGIN,))


def said(error: CallError) -> str:
    """The sentence without its full stop, with the appliance's own words unchanged."""
    words = str(error).rstrip(".")
    own = {"error_code": error.error_code, "message": error.message, "op_id": error.op_id}
    told = ", ".join(f"{name} {value}" for name, value in own.items() if value)
    return f"{words} ({told})" if told else words


def failed(error: CallError, step: str) -> Line:
    if error.kind is ProblemKind.OVER_BUDGET:
        return skipped(f"room: {said(error)}")
    return wrong(said(error), step)


def reachable(site: Site) -> Line:
    """Whether somebody listens there, directly or behind the proxy, which the error names then."""
    proxy = tls.proxy_of(site.appliance.host)
    try:
        site.calls().knock()
    except TlsFailed as error:
        site.not_sent = error
    except CallError as error:
        return wrong(said(error), _way(site))
    return fine(f"{site.appliance.host}{f' through the proxy {proxy}' if proxy else ''}")


def _way(site: Site) -> str:
    if tls.proxy_of(site.appliance.host):
        return "is the proxy up, and does it let the bot through? NO_PROXY goes around it"
    return (
        f"is {site.prefix}HOST right and known to this machine's DNS, is it up, and does a "
        "firewall stand between?"
    )


def trusted(site: Site) -> Line:
    """Whether it is the trusted appliance. If not, which certificate it shows instead."""
    pin, ca = f"{site.prefix}FINGERPRINT", f"{site.prefix}CA_FILE"
    if site.not_sent is None:
        words, end = f"by {site.trusted_by}", site.appliance.certificate_end
        if end is None:
            return fine(words)
        words = f"{words}; its certificate ends on {end:%Y-%m-%d}"
        if end > datetime.now(UTC) + CERTIFICATE_SOON:
            return fine(words)
        step = f"replace it there, and what {ca} or {pin} names: the bot needs no restart for that"
        return note(words, step)
    host = site.appliance.host
    if tls.proxy_of(host):
        found = "Its certificate cannot be read through a proxy"
        step = f"read its SHA-256 on the appliance's own console, for {pin}, or set {ca}"
        return wrong(f"{said(site.not_sent)}. {found}", step)
    try:
        served = tls.served_fingerprint(host, site.settings.timeout_seconds)
    except OSError as error:
        why = str(error.strerror or error or type(error).__name__)
        found, step = f"No certificate is shown there ({why})", f"correct {site.prefix}HOST"
    else:
        found = f"The certificate that is shown has the SHA-256 {served}"
        step = (
            f"compare it with what the appliance's own console says; only where both are the same "
            f"set {pin} to it, or set {ca} to the authority's file"
        )
    return wrong(f"{said(site.not_sent)}. {found}", step)


def login(site: Site) -> Line:
    """One log-in, unless one was refused already: SSO locks an account after a few."""
    calls = site.calls()
    if not calls.logged_in and site.refused == calls.user:
        return skipped("a person: it is not tried again by itself")
    try:
        calls.log_in()
    except CallError as error:
        # In a login rest none was tried, but it is a failure all the same: an earlier log-in was
        # refused, this copy's or another's.
        if error.kind in REFUSED:
            site.refused = calls.user
        return failed(error, _after(site, error))
    site.refused = None
    return fine(f"as the user of {site.prefix}USERNAME")


def _after(site: Site, error: CallError) -> str:
    """The next step after a log-in that did not work. The answer may come from the wrong server."""
    user, password = f"{site.prefix}USERNAME", f"{site.prefix}PASSWORD"
    if error.kind in REFUSED:
        return (
            f"correct {user} and {password} or unlock the account before the next try: SSO locks "
            "an account after a few refusals"
        )
    if error.kind is ProblemKind.NOT_UNDERSTOOD:
        return (
            f"is {site.prefix}HOST the vSphere Replication appliance and no vCenter, and is "
            f"{site.prefix}BASE_PATH right?"
        )
    if isinstance(error, TlsFailed):
        return "`vr-unpair check` shows its certificate, and says what to set"
    if error.kind is ProblemKind.UNSENT:
        return _way(site)
    return "look into the appliance's own log; `vr-unpair check` has a line for each step to it"


def version(site: Site) -> Line:
    """`GET /info`: whether the session works, and which version answers."""
    try:
        info = site.calls().info()
    except CallError as error:
        return failed(error, f"is {site.prefix}BASE_PATH right, and is the service up?")
    words = f"{info.name or 'the appliance'}, version {info.version or 'not told'}"
    if info.status == "ERROR":
        step = "look at it in the vSphere Client, Site Recovery"
        return note(f"{words}, which says ERROR of itself", step)
    return fine(words)


def pairings(site: Site) -> Line:
    """Whether they can be read at all, and how many there are."""
    try:
        site.pairings = site.calls().pairings()
    except CallError as error:
        if error.kind is ProblemKind.REFUSED:
            return wrong(said(error), "give the user the right to read them")
        return wrong(said(error), "look again, and into the appliance's own log")
    count = len(site.pairings.items)
    if count == 0:
        return note("there are none", "is this the right appliance?")
    return fine(f"{count} {'pairing' if count == 1 else 'pairings'}")


def remote(site: Site) -> Line:
    """Whether the other sites are there, and accept the user that is set for them."""
    user, password = f"{site.prefix}REMOTE_USERNAME", f"{site.prefix}REMOTE_PASSWORD"
    others = [p for p in site.pairings.items if not p.of_itself]
    away = [p.title for p in others if p.remote_vrms.status == "ERROR"]
    there = [p for p in others if p.remote_vrms.status != "ERROR"]
    if site.settings.remote_username is None:
        if site.pairings.partial and not away:
            told = "; ".join(error.words for error in site.pairings.errors[:3])
            step = f"where the remote site has an SSO of its own, set {user} and {password}"
            return wrong(f"not all could be read: {told}", step)
        words = "no user of its own is set, which is right where both sites share one SSO"
    elif there:
        # One log-in, however many pairings there are, since all of them use the same user.
        try:
            site.calls().ensure_remote_session(there[0].id)
        except CallError as error:
            if error.kind is ProblemKind.LOGIN_REFUSED:
                return wrong(said(error), f"correct {user} and {password} before the next try")
            return wrong(f"{there[0].title}: {said(error)}", "is the remote site up?")
        words = f"logged in to the remote site of {there[0].title} as the user of {user}"
    else:
        words = f"there is no remote site to log in to as the user of {user}"
    if away:
        step = "bring it back; where it is gone for good, --force breaks this half alone"
        return wrong(f"the remote site of {', '.join(away)} cannot be reached", step)
    return fine(words)
