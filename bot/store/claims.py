"""The rows of requests from the side of whoever works on one: claimed, saved, released."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import (
    ColumnElement,
    Connection,
    Exists,
    bindparam,
    exists,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from bot.request.events import Stored
from bot.request.model import OPEN, Request, State
from bot.request.pairing import id_key
from bot.store import inbox as inbox_table
from bot.store.due import claimable, next_due
from bot.store.lanes import Lane, lane_of
from bot.store.requests import NewRequests, Saving, holder_of_other_end, row_of, store_rest
from bot.store.schema import inbox, requests
from bot.store.wakes import Room

# Built once each: they run with every step of every request.
_UPDATE = update(requests).where(
    requests.c.id == bindparam("held_id"), requests.c.version == bindparam("held_version")
)
_LOCKED = select(requests.c.version).where(requests.c.id == bindparam("id")).with_for_update()


class ClaimLost(Exception):
    """Somebody else holds the row now. An outcome in hand goes into the inbox."""


class PairingTakenBy(Exception):
    """Another open request holds the pairing. `site` is given when that is at another site, where
    it holds the other end of the same pairing."""

    def __init__(self, other: str, site: str | None = None) -> None:
        super().__init__(other)
        self.other = other
        self.site = site


class SaveRefused(Exception):
    """A guard did not hold: an event has to be absorbed first, or it is too late for an intent."""


@dataclass(frozen=True)
class Claim:
    """The right to write one row, for the work of one lane. It holds until `lease_until`, and only
    while the row still has this `version`. `heard`: numbers of events that `request` has absorbed
    already, and that the next save marks as such. Until then they wait in the inbox, so whoever
    claims the row after us absorbs them anew."""

    request: Request
    version: int
    lease_until: int
    lane: Lane
    heard: tuple[int, ...] = ()

    @property
    def over(self) -> bool:
        """Whether the last save has moved the row into another lane, which gave it back as well."""
        return lane_of(self.request) is not self.lane


@dataclass
class Claims(NewRequests):
    """The worker's side of the store. `lease_ms`: how long a claim holds."""

    lease_ms: int = field(kw_only=True)

    def claim(self, lane: Lane, without: Collection[str] = ()) -> Claim | None:
        """A due row of this lane that nobody holds, at none of the sites in `without`: enough
        threads of this copy are at those."""
        with self.db.write() as conn:
            now = self.db.now(conn)
            query = claimable(lane, bool(without))
            values = {"without": sorted(without)} if without else {}
            row = conn.execute(query, {"now": now, **values}).one_or_none()
            if row is None:
                return None
            version, lease_until = row.version + 1, now + self.lease_ms
            # Due at the end of the lease, in case the holder dies: it may have absorbed the
            # event that made the row due, and the time set before that may be an hour away.
            leased = {"version": version, "lease_until": lease_until, "due_at": lease_until}
            conn.execute(_UPDATE, {**_at(row.id, row.version), **leased})
        # Read after the commit: a body that a hand has broken keeps its lease, and all others of
        # this lane go on.
        return Claim(Request.model_validate_json(row.body), version, lease_until, lane)

    def events(self, claim: Claim) -> list[Stored]:
        """All that wait and that it has not heard, in the order they came."""
        with self.db.read() as conn:
            waiting = inbox_table.unabsorbed(conn, claim.request.id)
        return [stored for stored in waiting if stored.number not in claim.heard]

    def save(self, claim: Claim, saving: Saving) -> Claim:
        """Raises ClaimLost, or PairingTakenBy when another open request holds this pairing or its
        other end. A row that moves into another lane is given back in the same
        UPDATE, one commit less on the way from a click to its DELETE. The claim is over then
        (`Claim.over`)."""
        try:
            with self.db.write() as conn:
                now = self.db.now(conn)
                if not self._update(conn, claim, saving):
                    raise ClaimLost
                posts = self._rest(conn, claim, saving, now)
                if saving.request.pairing_id and not claim.request.pairing_id:
                    # Asked only now, with the head of the audit trail locked: if two requests take
                    # the two ends at the same moment, the second one sees the first.
                    held = holder_of_other_end(conn, saving.request)
                    if held:
                        raise PairingTakenBy(*held)
        except IntegrityError:
            raise PairingTakenBy(self._holder(saving.request)) from None
        return self._saved(claim, saving, posts)

    def save_intent(self, claim: Claim, saving: Saving) -> Claim:
        """With the guards of rule 2 in the same UPDATE. Raises SaveRefused or ClaimLost.

        Wakes nobody: the DELETE must go out within a second, and telling other copies may take
        longer. Call `wake_posters` afterwards."""

        def guards(now: int) -> Sequence[ColumnElement[bool]]:
            at = requests.c.scheduled_at
            its_time = or_(at.is_(None), at <= now)
            approved = requests.c.state == State.APPROVED.value
            return approved, requests.c.execute_by > now, its_time

        self._save_heard(claim, saving, guards)
        self.on_saved(saving.request, saving.entries)
        return self._next(claim, saving)

    def wake_posters(self) -> None:
        self.db.wakes.wake(Room.POST)

    def save_passed(self, claim: Claim, saving: Saving) -> Claim:
        """Save what time alone has done, such as a deadline. Only when no event waits: a click that
        was stored before the deadline counts, however late its commit ended. Raises SaveRefused
        or ClaimLost."""
        posts = self._save_heard(claim, saving, lambda _now: ())
        return self._saved(claim, saving, posts)

    def release(self, claim: Claim, due_at: int | None) -> None:
        """Give the row back, in the same lane: whoever releases a row looks for the next one
        anyway, so nobody is woken. Does nothing when the claim is lost."""
        with self.db.write() as conn:
            freed = {"lease_until": 0, "due_at": due_at, "version": claim.version + 1}
            conn.execute(_UPDATE, {**_at(claim.request.id, claim.version), **freed})

    def next_due(self, lane: Lane, without: Collection[str] = ()) -> int | None:
        """When (ms) the next row is due that `claim` could give: how long a thread may sleep. Only
        by the rows' own times; an event wakes."""
        with self.db.read() as conn:
            values = {"without": sorted(without)} if without else {}
            due: int | None = conn.execute(next_due(lane, bool(without)), values).scalar_one()
            return due

    # ---- inside -------------------------------------------------------------------------------

    def _save_heard(
        self,
        claim: Claim,
        saving: Saving,
        guards: Callable[[int], Sequence[ColumnElement[bool]]],
    ) -> bool:
        """Save only if no event of this request waits in the inbox. Otherwise raises
        SaveRefused."""
        with self.db.write() as conn:
            # Lock the row first and ask the inbox afterwards. An UPDATE that has to wait for the
            # row sees the inbox as it was before the wait, without a cancel that was stored
            # meanwhile.
            if not self.db.one_writer:
                conn.execute(_LOCKED, {"id": claim.request.id})
            now = self.db.now(conn)
            all_guards = (~_waits(claim), *guards(now))
            if not self._update(conn, claim, saving, all_guards):
                if self._holds(conn, claim):
                    raise SaveRefused
                raise ClaimLost
            return self._rest(conn, claim, saving, now)

    def _rest(self, conn: Connection, claim: Claim, saving: Saving, now: int) -> bool:
        for number in claim.heard:
            inbox_table.mark_absorbed(conn, number, now)
        return store_rest(conn, claim.request, saving, claim.version + 1, now)

    def _update(
        self,
        conn: Connection,
        claim: Claim,
        saving: Saving,
        guards: Sequence[ColumnElement[bool]] = (),
    ) -> bool:
        request = saving.request
        columns = {**row_of(request), "version": claim.version + 1}
        if lane_of(request) is not claim.lane:
            columns |= {"lease_until": 0, "due_at": saving.due_at}
        statement = _UPDATE.where(*guards) if guards else _UPDATE
        done = conn.execute(statement, {**_at(request.id, claim.version), **columns})
        return done.rowcount == 1

    def _saved(self, claim: Claim, saving: Saving, posts: bool) -> Claim:
        held = self._next(claim, saving)
        # Wake the other lane even if nothing is due: an event may be waiting for it already.
        self._committed(saving, posts, *([lane_of(saving.request).room] if held.over else []))
        return held

    def _next(self, claim: Claim, saving: Saving) -> Claim:
        held = Claim(saving.request, claim.version + 1, claim.lease_until, claim.lane)
        return replace(held, lease_until=0) if held.over else held

    def _holds(self, conn: Connection, claim: Claim) -> bool:
        return conn.execute(
            select(
                exists().where(
                    requests.c.id == claim.request.id, requests.c.version == claim.version
                )
            )
        ).scalar_one()

    def _holder(self, request: Request) -> str:
        """Whom the unique index has met; it may have ended since."""
        with self.db.read() as conn:
            held: str | None = conn.execute(
                select(requests.c.id).where(
                    requests.c.site == request.site,
                    requests.c.pairing_id == id_key(request.pairing_id),
                    requests.c.id != request.id,
                    requests.c.state.in_(sorted(OPEN)),
                )
            ).scalar()
        return held or "another request"


def _at(request_id: str, version: int) -> dict[str, object]:
    """The row as it was when it was last read."""
    return {"held_id": request_id, "held_version": version}


def _waits(claim: Claim) -> Exists:
    mine = inbox.c.request_id == claim.request.id
    return exists().where(mine, inbox.c.absorbed_at.is_(None), inbox.c.number.not_in(claim.heard))
