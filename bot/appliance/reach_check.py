"""The lines of `check` about the way to an appliance: name, port, trust."""

from __future__ import annotations

from collections.abc import Iterator

from bot.appliance import way
from bot.appliance.errors import TlsFailed
from bot.appliance.looking import Site, said
from bot.core.finding import Finding, fine, wrong

NAME, REACHABLE, TRUSTED = "appliance-name", "appliance-reachable", "appliance-trusted"


def name(site: Site) -> Iterator[Finding]:
    """Whether the name has an address. With a proxy, it is the proxy's name: the proxy looks up the
    appliance's."""
    proxy = way.proxy_of(site.host)
    looked_up, _ = way.place(proxy or site.host)
    setting = "HTTPS_PROXY" if proxy else f"{site.prefix}HOST"
    try:
        found = way.addresses(looked_up)
    except (OSError, UnicodeError) as error:
        step = f"correct {setting}, or the name service"
        words = f"{looked_up} has no address ({_why(error)})"
        yield wrong(NAME, words, step, about=site.about)
        return
    whose = "the proxy " if proxy else ""
    yield fine(NAME, f"{whose}{looked_up} is {', '.join(found)}", about=site.about)


def reachable(site: Site) -> Iterator[Finding]:
    """Whether somebody listens there, directly or behind the proxy."""
    proxy = way.proxy_of(site.host)
    if proxy is not None:
        yield _through(site, proxy)
        return
    target, port = way.place(site.host)
    shown = f"{target} port {port}"
    try:
        way.connect(target, port, site.timeout_seconds)
    except OSError as error:
        step = "is it up, and does a firewall stand between?"
        words = f"{shown} takes no connection ({_why(error)})"
        yield wrong(REACHABLE, words, step, about=site.about)
    else:
        yield fine(REACHABLE, shown, about=site.about)


def _through(site: Site, proxy: str) -> Finding:
    # Only a call shows whether the proxy lets us through; that its port is open does not. The error
    # names the proxy.
    error = site.knocked()
    if error is None or isinstance(error, TlsFailed):
        return fine(REACHABLE, f"{site.host} through the proxy {proxy}", about=site.about)
    step = "is the proxy up, and does it let the bot through? NO_PROXY goes around it"
    return wrong(REACHABLE, said(error), step, about=site.about)


def trusted(site: Site) -> Iterator[Finding]:
    """Whether it is the trusted appliance. If not, which certificate it shows instead."""
    error = site.knocked()
    if error is None:
        yield fine(TRUSTED, f"by {site.trust.how}", about=site.about)
    elif isinstance(error, TlsFailed):
        words, step = _stranger(site)
        yield wrong(TRUSTED, f"{said(error)}. {words}", step, about=site.about)
    else:
        yield wrong(TRUSTED, said(error), "is that the appliance's HTTPS port?", about=site.about)


def _stranger(site: Site) -> tuple[str, str]:
    pin, ca = f"{site.prefix}FINGERPRINT", f"{site.prefix}CA_FILE"
    if way.proxy_of(site.host):
        words = "Its certificate cannot be read through a proxy"
        step = f"read its SHA-256 on the appliance's own console, for {pin}, or set {ca}"
        return words, step
    target, port = way.place(site.host)
    try:
        served = way.served_fingerprint(target, port, site.timeout_seconds)
    except OSError as error:
        return f"No certificate is shown there ({_why(error)})", f"correct {site.prefix}HOST"
    step = (
        f"compare it with what the appliance's own console says; only where both are the same set "
        f"{pin} to it, or set {ca} to the authority's file"
    )
    return f"The certificate that is shown has the SHA-256 {served}", step


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
