"""What the appliance said about the pairing, in the few lines that are needed to decide."""

from __future__ import annotations

from bot.request.model import Request, State
from bot.request.snapshot import Snapshot
from bot.slack.draw import limits
from bot.slack.draw.markup import code, line, when
from bot.slack.draw.words.phrases import count_of, local_site, remote_site

SRM = "Site Recovery Manager"


def place(request: Request) -> str:
    """Which appliance of which deployment, so that nobody has to guess it from the channel. The
    site is named only if there are several: a single one is called `default`, which says nothing.
    """
    terms = request.terms
    parts = [f"*{line(terms.label, limits.NAME)}*"] if terms.label else []
    parts += [f"appliance {code(terms.appliance)}"] if terms.appliance else []
    parts += [f"site {code(request.site)}"] if terms.several and request.site else []
    return " · ".join(parts)


def one_sided(request: Request) -> str:
    """What a forced break leaves behind (vendor OpenAPI, `force`)."""
    return (
        f"*One-sided break:* only {local_site(request)} lets go. {remote_site(request)} keeps its "
        "half and needs the same done there."
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
        lines.append("*Ordinary break:* both sites let go of the pairing.")
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
        parts.append(f"pairing id {code(pairing_id, limits.ID)}")
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
    first = snapshot.replications[: limits.REPLICATIONS_SHOWN]
    shown = [code(each.name, limits.NAME) for each in first]
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
    lines += [f"• {line(words)}" for words in snapshot.partial[: limits.PARTIAL_SHOWN]]
    left = len(snapshot.partial) - limits.PARTIAL_SHOWN
    return [*lines, f"• and {left} more"] if left > 0 else lines


def _issues(snapshot: Snapshot) -> list[str]:
    if not snapshot.issue_count:
        return []
    lines = [f"⚠️ {count_of(snapshot.issue_count, 'open issue')}:"]
    shown = snapshot.issues[: limits.ISSUES_SHOWN]
    for issue in shown:
        about = f"{code(issue.entity)}: " if issue.entity else ""
        how = f" ({line(issue.status, limits.NAME)})" if issue.status else ""
        lines.append(f"• {about}{line(issue.description or 'no description')}{how}")
    left = snapshot.issue_count - len(shown)
    return [*lines, f"• and {left:,} more"] if left > 0 else lines
