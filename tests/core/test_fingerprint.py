"""What is covered by an approval, and what is not."""

from __future__ import annotations

import pytest

from bot.core.fingerprint import differences, fingerprint
from bot.core.snapshot import IssueLine, Server, Snapshot, digest_of

PLAIN = Snapshot(
    pairing_id="p",
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
    "pairing": {"pairing_id": "q"},
    "local vCenter": {"local_vc": Server(id="x")},
    "remote vCenter": {"remote_vc": Server(id="x")},
    "local replication server": {"local_vrms": Server(id="x", status="OK")},
    "remote replication server": {"remote_vrms": Server(id="x", status="OK")},
    "count": {"count": 3},
    "replications": {"replications_digest": digest_of(["1", "3"])},
}
DAILY = {
    "names": {"names": ("other",)},
    "status": {"remote_vc": Server(id="rv", name="renamed", status="WARNING", version="9")},
    "issues": {"issues": (IssueLine(description="late"),), "issue_count": 1},
    "protected": {"protected": 2},
    "time": {"read_at": 99},
}


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


def in_capitals(shown: Snapshot) -> Snapshot:
    """The same pairing in an answer that writes every id in capitals."""
    servers = ("local_vc", "remote_vc", "local_vrms", "remote_vrms")
    upper = {
        name: getattr(shown, name).model_copy(
            update={"id": (getattr(shown, name).id or "").upper()}
        )
        for name in servers
    }
    return shown.model_copy(update={**upper, "pairing_id": shown.pairing_id.upper()})


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


def test_a_difference_is_told_with_the_ids_as_they_came() -> None:
    other = in_capitals(PLAIN).model_copy(update={"remote_vc": Server(id="RX")})
    assert differences(PLAIN, other, force=False) == ("remote vCenter: was rv, is now RX",)
