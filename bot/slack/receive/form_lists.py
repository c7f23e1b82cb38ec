"""Turns what was read from the appliances into the request modal's list, with what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from bot.request.lookups import LookupsPort, PairingsListed, SiteUnread
from bot.slack.draw.markup import line, when
from bot.slack.draw.pairing_options import choices
from bot.slack.draw.request_form import FormLists
from bot.slack.draw.words import form
from bot.slack.draw.words.said import problem_said

KEPT_S = 15 * 60.0
"""If the pairings cannot be read, a list of up to this age is shown, and its age is named."""

WORDS_SHOWN = 700


def form_lists(
    read: Sequence[PairingsListed | SiteUnread],
    site: str | None,
    lookups: LookupsPort,
    command: str,
    *,
    several: bool,
) -> FormLists | list[str]:
    """What to fill the form with. If there is nothing to choose, sentences that say why."""
    listed: list[PairingsListed] = []
    notes: list[str] = []
    unread: list[str] = []
    for each in read:
        if isinstance(each, PairingsListed):
            listed.append(each)
            continue
        why = " ".join(problem_said(each.failed.problem, WORDS_SHOWN))
        old = lookups.known(each.site, within_s=KEPT_S)
        named = form.appliance(each.site, several)
        if old is None:
            unread.append(form.unread(named, why))
        else:
            listed.append(old)
            notes.append(form.as_of(named, when(old.read_at), why))
    found = choices(listed, several_sites=several)
    if several and site is not None and not any(choice.site == site for choice in found):
        unread.append(form.none_of_site(site))
    if not found:
        names = ", ".join(form.appliance(each.site, several) for each in read)
        nothing = [form.nothing_to_break(names), *_notes(listed, several=several)]
        return [*unread, form.type_instead(command)] if unread else nothing
    notes += [*unread, *_notes(listed, several=several)]
    return FormLists(choices=tuple(found), notes=tuple(notes), site=site)


def _notes(listed: Sequence[PairingsListed], *, several: bool) -> list[str]:
    notes = [
        form.not_complete(form.appliance(each.site, several), line(words))
        for each in listed
        for words in each.partial[:1]
    ]
    themselves = sum(item.pairing.of_itself for each in listed for item in each.pairings)
    return [*notes, form.left_out(themselves)] if themselves else notes
