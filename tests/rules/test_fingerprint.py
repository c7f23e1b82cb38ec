"""What is covered by an approval, and what is not."""

from __future__ import annotations

import pytest

from bot.request.fingerprint import differences, fingerprint
from bot.request.model import State
from bot.request.pairing import IssueLine, Replication, Server, Snapshot, digest_of
from tests.support.world import FIRST, World

PLAIN = Snapshot(
    id="p",
    local_vc=Server(id="lv", name="a"),
    remote_vc=Server(id="rv", name="b"),
    local_vrms=Server(id="lr", status="OK"),
    remote_vrms=Server(id="rr", status="OK"),
    count=2,
    complete=True,
    replications_digest=digest_of(["1", "2"]),
    read_at=1,
)

COVERED = {
    "pairing": {"id": "q"},
    "local vCenter": {"local_vc": Server(id="x")},
    "remote vCenter": {"remote_vc": Server(id="x")},
    "local replication server": {"local_vrms": Server(id="x", status="OK")},
    "remote replication server": {"remote_vrms": Server(id="x", status="OK")},
    "count": {"count": 3},
    "replications": {"replications_digest": digest_of(["1", "3"])},
}
DAILY = {
    "names": {"replications": (Replication(id="1", name="other"),)},
    "status": {"remote_vc": Server(id="rv", name="renamed", status="WARNING", version="9")},
    "issues": {"issues": (IssueLine(description="late"),), "issue_count": 1},
    "time": {"read_at": 99},
}


@pytest.mark.policy(break_glass=frozenset({FIRST}))
@pytest.mark.parametrize("action", ["approve", "deny", "break_glass"])
def test_a_click_on_another_one_never_counts(world: World, action: str) -> None:
    """A form comes back from a person's client, its `private_metadata` included."""
    world.pending()
    world.press(action, FIRST, fingerprint="0" * 16, reason="it burns")
    assert world.state() is State.PENDING
    assert world.answers == [(FIRST, "other_fingerprint")]


@pytest.mark.parametrize("what", COVERED)
def test_covered(what: str) -> None:
    other = PLAIN.model_copy(update=COVERED[what])
    assert differences(PLAIN, other, force=False)
    plain = fingerprint(PLAIN, force=False, dry_run=False)
    assert fingerprint(other, force=False, dry_run=False) != plain


@pytest.mark.parametrize("what", DAILY)
def test_not_covered(what: str) -> None:
    other = PLAIN.model_copy(update=DAILY[what])
    assert differences(PLAIN, other, force=False) == ()
    plain = fingerprint(PLAIN, force=False, dry_run=False)
    assert fingerprint(other, force=False, dry_run=False) == plain


def test_force_and_dry_run_are_covered() -> None:
    ways = {
        fingerprint(PLAIN, force=force, dry_run=dry)
        for force in (True, False)
        for dry in (True, False)
    }
    assert len(ways) == 4


def test_only_the_count_is_compared_when_one_reading_is_partial() -> None:
    partial = PLAIN.model_copy(update={"complete": False, "replications_digest": None})
    other = PLAIN.model_copy(update={"replications_digest": digest_of(["8", "9"])})
    assert differences(partial, other, force=False) == ()
    assert differences(other, partial, force=False) == ()
    assert differences(partial, other.model_copy(update={"count": 5}), force=False)


@pytest.mark.parametrize(
    "down",
    [
        {"remote_vrms": Server(id="rr", status="ERROR")},
        {"complete": False, "replications_digest": None},
    ],
)
def test_a_remote_site_that_is_back_takes_the_reason_from_force(down: dict[str, object]) -> None:
    shown = PLAIN.model_copy(update=down)
    assert differences(shown, PLAIN, force=True)
    assert differences(shown, PLAIN, force=False) == ()
    assert differences(PLAIN, shown, force=True) == ()


# ---- recovery plans ------------------------------------------------------------------------------

NEWLY = "replications newly in a recovery plan"
OTHER_PLANS = "recovery plans: not the same replications as before are in one"


def planned(*ids: str, count: int = 240, kept: int = 1_000) -> Snapshot:
    """So many replications, of which these are in a recovery plan; the first are kept by name."""
    all_ids = [f"r{n}" for n in range(count)]
    vms = [Replication(id=each, name=f"vm-{each}", protected=each in ids) for each in all_ids]
    vms.sort(key=lambda each: (not each.protected, each.name))
    read = {"count": count, "protected": len(ids), "replications": tuple(vms[:kept])}
    digests = {"replications_digest": digest_of(all_ids), "protected_digest": digest_of(ids)}
    return PLAIN.model_copy(update={**read, **digests})


@pytest.mark.parametrize(
    ("shown", "now", "lines"),
    [
        (planned(), planned("r239"), [f"{NEWLY}: “vm-r239”"]),
        (planned("r1"), planned("r2", "r3"), [f"{NEWLY}: “vm-r2”, “vm-r3”"]),
        (planned("r1"), planned("r1"), []),
        (planned("r1", "r2"), planned("r2"), []),
        (planned("r1"), planned(), []),
        # More are in plans than are kept by name.
        (planned("r1", "r2", kept=1), planned("r1", "r2", kept=1), []),
        (planned("r1", "r2", kept=1), planned("r1", "r3", kept=1), [OTHER_PLANS]),
        (planned("r1", kept=1), planned("r1", "r2", kept=1), [OTHER_PLANS]),
    ],
)
def test_one_that_came_into_a_recovery_plan_counts_and_one_that_left_does_not(
    shown: Snapshot, now: Snapshot, lines: list[str]
) -> None:
    assert differences(shown, now, force=False) == tuple(lines)
    assert differences(shown, in_capitals(now), force=True) == tuple(lines)
    partial = {"complete": False, "protected": 0, "protected_digest": None}
    assert differences(shown.model_copy(update=partial), now, force=False) == ()


def test_the_button_names_what_the_card_said_of_recovery_plans() -> None:
    ways = {fingerprint(planned(*ids), force=False, dry_run=False) for ids in ((), ("r1",))}
    assert len(ways) == 2


def in_capitals(shown: Snapshot) -> Snapshot:
    """The same pairing in an answer that writes every id in capitals."""
    servers = ("local_vc", "remote_vc", "local_vrms", "remote_vrms")
    upper = {
        name: getattr(shown, name).model_copy(
            update={"id": (getattr(shown, name).id or "").upper()}
        )
        for name in servers
    }
    vms = tuple(r.model_copy(update={"id": r.id.upper()}) for r in shown.replications)
    return shown.model_copy(update={**upper, "id": shown.id.upper(), "replications": vms})


def test_ids_are_compared_without_case() -> None:
    """One answer writes them in capitals, the next one small: it is the same pairing, and no
    request for it may end as `changed`."""
    ids = [f"gid-{n}-abc" for n in range(3)]
    listed = in_capitals(PLAIN).model_copy(
        update={"replications_digest": digest_of([each.upper() for each in ids])}
    )
    single = PLAIN.model_copy(update={"replications_digest": digest_of(reversed(ids))})
    assert differences(listed, single, force=False) == ()
    by_list, by_id = (fingerprint(s, force=False, dry_run=False) for s in (listed, single))
    assert by_list == by_id


# ---- in words ------------------------------------------------------------------------------------


def with_vms(**name_by_id: str) -> Snapshot:
    replications = tuple(Replication(id=each, name=name) for each, name in name_by_id.items())
    return PLAIN.model_copy(
        update={
            "count": len(replications),
            "replications_digest": digest_of(name_by_id),
            "replications": replications,
        }
    )


def changed(**updates: object) -> Snapshot:
    return PLAIN.model_copy(update=updates)


def fewer_named(count: int, **name_by_id: str) -> Snapshot:
    """As of so many that not all are kept with their names."""
    return with_vms(**name_by_id).model_copy(update={"count": count})


OSLO, ROME = Server(id="e839", name="oslo"), Server(id="77AB", name="rome")
NOT_THE_SAME = "replications: as many as before, but not the same ones"
WORDS = {
    "names before and now": (
        changed(local_vc=OSLO, remote_vc=OSLO, local_vrms=OSLO, remote_vrms=OSLO),
        changed(local_vc=ROME, remote_vc=ROME, local_vrms=ROME, remote_vrms=ROME),
        [
            f"{end} {server}: was “oslo”, is now “rome”"
            for server in ("vCenter", "replication server")
            for end in ("local", "remote")
        ],
    ),
    "equal names: the ids as they came": (
        changed(remote_vc=OSLO),
        in_capitals(PLAIN).model_copy(update={"remote_vc": Server(id="77AB", name="oslo")}),
        ["remote vCenter: another one of the same name, “oslo”; its id was “e839”, is now “77AB”"],
    ),
    "no name: its id": (
        PLAIN,
        changed(remote_vc=Server(id="RX")),
        ["remote vCenter: was “b”, is now “RX”"],
    ),
    "replications that came and went": (
        with_vms(r1="db-01", r2="db-02", r3="mail"),
        with_vms(R1="db-01", r4="web-01", r5="web-02", r6="web-03"),
        [
            "number of replications: was 3, is now 4",
            "replications gone since: “db-02”, “mail”",
            "replications new since: “web-01”, “web-02”, “web-03”",
        ],
    ),
    "two replications of one name": (
        with_vms(r1="db-01", r2="mail"),
        with_vms(r9="db-01", r2="mail"),
        [
            "replications gone since: “db-01” (id “r1”)",
            "replications new since: “db-01” (id “r9”)",
        ],
    ),
    "a replication that was renamed": (with_vms(r1="db-01"), with_vms(r1="db-09"), []),
    "not all known by name": (
        fewer_named(900, r1="db-01", r2="db-02"),
        fewer_named(900, r1="db-01", r3="db-03"),
        [NOT_THE_SAME],
    ),
    "not all known by name, and fewer": (
        fewer_named(900, r1="db-01", r2="db-02"),
        fewer_named(899, r1="db-01", r3="db-03"),
        ["number of replications: was 900, is now 899"],
    ),
    "names that do not tell": (
        with_vms(r1="db-01"),
        with_vms(r1="db-01").model_copy(update={"replications_digest": digest_of(["r2"])}),
        [NOT_THE_SAME],
    ),
    "names of any length": (
        changed(remote_vc=Server(id="1", name="a" * 900)),
        changed(remote_vc=Server(id="2", name="b" * 900)),
        [f"remote vCenter: was “{'a' * 79}…”, is now “{'b' * 79}…”"],
    ),
}


@pytest.mark.parametrize("what", WORDS)
def test_what_people_read(what: str) -> None:
    shown, now, lines = WORDS[what]
    assert differences(shown, now, force=False) == tuple(lines)
