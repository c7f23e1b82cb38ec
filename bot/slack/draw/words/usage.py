"""What a listener says at once, before there is any request: help, what is being read, why not."""

from __future__ import annotations

from bot.request.who_may import Policy
from bot.slack.draw import limits
from bot.slack.draw.markup import channels, code


def being_checked(pairing: str) -> str:
    """Said at once, before anything is read from the appliance."""
    return f"Reading {code(pairing)} from the appliance. The card comes next, in this channel."


def still_reading(pairing: str) -> str:
    """Said once, when there is no card after ten seconds."""
    return (
        f"Still reading {code(pairing)}: it takes longer than usual. The card comes by itself in "
        "this channel, or you are told why not. Do not ask again."
    )


LOOKING = "Looking it up. The answer comes next, for you alone."
"""The same for everything: it must not show whether an id exists before it is known who asks."""

BUSY = "Too many people are looking just now, so nothing was read. Try again in a minute."


def too_often(seconds: int) -> str:
    """For a request, a `preview` or a `list`; also at a field of a form, so it is plain text."""
    return (
        "You have asked many times in a few minutes, so nothing was done with this one: an "
        f"appliance takes few calls, and others wait for it too. Try again in {seconds} seconds."
    )


UNKNOWN_BUTTON = (
    "This button is not known here, so nothing was done. Use the newest card of the request, or "
    "ask again."
)

NOT_OPENED = "Slack did not open it, so nothing was done. Try again."

FORM_LOST = "This form is not known here any more. Close it, and open it again."
"""Shown at a field of a modal, so it is plain text."""

NO_DIRECT_MESSAGE = (
    "A request needs a channel where approvers can see it. Ask in a channel that this app is in; "
    "nothing was asked here."
)


def channel_not_allowed(allowed: frozenset[str]) -> str:
    named = channels(sorted(allowed))
    return f"This command does not work in this channel, so nothing was asked. Use {named}."


def reason_needed(command: str, pattern: str | None) -> str:
    must = f" that contains {_pattern(pattern)}" if pattern else ""
    typed = code(f"{command} PAIRING why it must go")
    return f"A request needs a reason here{must}, so nothing was asked. Type it like this: {typed}."


def unknown_site(typed: str, sites: tuple[str, ...]) -> str:
    shown = sites[: limits.SITES_SHOWN]
    left = f" and {len(sites) - len(shown)} more" if len(sites) > len(shown) else ""
    named = ", ".join(code(s) for s in shown)
    return f"There is no appliance {code(typed)} here, so nothing was asked. Known: {named}{left}."


def pairing_missing(command: str, site: str) -> str:
    step = f"Type {code(f'{command} {site}/PAIRING')}, with its id or a server's name."
    return f"There is no pairing after the slash, so nothing was asked. {step}"


def other_command(typed: str, command: str) -> str:
    return f"This deployment answers to {code(command)}, not to {code(typed)}. Type that instead."


def unexpected(reference: str) -> str:
    """For an error of ours. Plain text: it may be in a modal, where markup is not rendered."""
    return (
        "Something went wrong here, and this may not have been taken. Try again; if it lasts, "
        f"give reference {reference} to whoever runs this app."
    )


def help_text(command: str, policy: Policy) -> str:
    """What these settings allow; the appliances are named if there are several."""
    pattern, sites = policy.reason_pattern, tuple(policy.sites)
    reason = "reason" if policy.require_reason or pattern else "[reason]"
    at = " [--at TIME]" if policy.schedule_max_ms > 0 else ""
    lines = [
        "*Breaking a vSphere Replication pairing*",
        f"{code(command)}: a form to choose a pairing and ask for it",
        f"{code(f'{command} PAIRING [--force]{at} {reason}')}: ask for it at once. A card follows "
        "in this channel; it is done once somebody else has approved it there.",
        f"• {code('PAIRING')}: its id or its first eight characters, the whole name of a server or "
        f"that name's first label, or {code('A → B')} as lists show it; only one may fit",
    ]
    if len(sites) > 1:
        named = ", ".join(code(site) for site in sites[: limits.SITES_SHOWN])
        lines.append(
            f"• {code('SITE/PAIRING')}: at this appliance; there are {len(sites)}: {named}"
        )
    lines.append(f"• {code('--force')}: a one-sided break, for a site that is gone for good")
    if at:
        times = "`22:00` or `2026-12-03T22:00` or `+6h`"
        lines.append(f"• {code('--at')}: not before this time, in your time zone: {times}")
    if pattern:
        lines.append(f"• the reason must contain {_pattern(pattern)}")
    lines += [
        f"{code(f'{command} preview PAIRING [--force]')}: what a card would show; nobody is asked",
        f"{code(f'{command} list')}: the pairings with their health",
        f"{code(f'{command} status')}: open requests and what ended recently; "
        f"{code(f'{command} status ID')} tells more about one",
        f"{code(f'{command} help')}: this text",
        "*Approve* and *Deny* on the card are for approvers, *Withdraw* is for whoever asked.",
    ]
    if policy.break_glass:
        lines.append(
            "*Break glass* on the card is for an emergency: somebody of `BREAK_GLASS` decides "
            "alone, and everybody is told."
        )
    return "\n".join(lines)


def _pattern(pattern: str) -> str:
    return f"{code(pattern, limits.SENTENCE)} (a regular expression)"
