"""Pools of approvers: how many of which people must say yes, and for which pool each one counts.

APPROVERS is one pool without a name. With APPROVERS__<NAME> there are several: each must have its
number, and one person counts for one pool only. Somebody who is in two may stand in either, so who
counts where is found anew with each approval: if any assignment fills the pools, it is found.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.request import Frozen

ALL = ""
"""The name of the one pool that APPROVERS makes."""


class Pool(Frozen):
    """`needed` different people of those `listed`, by id or through a user group."""

    name: str = ALL
    needed: int
    listed: tuple[str, ...] = ()


def assign(people: Mapping[str, Collection[str]], pools: Sequence[Pool]) -> dict[str, str]:
    """The pool that each person counts for, from the names of those that each is in. As many count
    as can; whoever counts goes on to count when more come, maybe for another pool. Whoever is not
    in it is not needed."""
    room = {pool.name: pool.needed for pool in pools}
    seats: dict[str, list[str]] = {pool.name: [] for pool in pools}

    def seat(person: str, tried: set[str]) -> bool:
        """Kuhn's algorithm: a free seat, or one whose owner finds another one."""
        for pool in people[person]:
            if pool not in room or pool in tried:
                continue
            tried.add(pool)
            if len(seats[pool]) < room[pool]:
                seats[pool].append(person)
                return True
            for place, owner in enumerate(seats[pool]):
                if seat(owner, tried):
                    seats[pool][place] = person
                    return True
        return False

    for person in people:
        seat(person, set())
    return {person: pool for pool, sitting in seats.items() for person in sitting}


def missing(people: Mapping[str, Collection[str]], pools: Sequence[Pool]) -> dict[str, int]:
    """How many each pool still needs; a pool that has its number is left out."""
    counted = list(assign(people, pools).values())
    left = {pool.name: pool.needed - counted.count(pool.name) for pool in pools}
    return {name: number for name, number in left.items() if number > 0}


def could_help(
    names: Collection[str], people: Mapping[str, Collection[str]], pools: Sequence[Pool]
) -> bool:
    """Whether one more person of the pools of these names would count."""
    somebody = "\0"  # no id of Slack's
    return somebody in assign({**people, somebody: names}, pools)


def stricter(kept: Sequence[Pool], now: Sequence[Pool]) -> tuple[Pool, ...]:
    """What a request needs when the settings have changed: of each pool the larger number, and all
    pools of both. A pool that the settings have no more lists nobody, so nobody can fill it: the
    card promised those approvals, and a new request asks by the new settings."""
    there = {pool.name: pool for pool in now}
    promised = {pool.name: pool for pool in kept}
    both = [
        there[name].model_copy(update={"needed": max(pool.needed, there[name].needed)})
        if name in there
        else pool.model_copy(update={"listed": ()})
        for name, pool in promised.items()
    ]
    return (*both, *(pool for pool in now if pool.name not in promised))
