"""What is covered by an approval, and what is not."""

from __future__ import annotations

import pytest

from bot.request.fingerprint import differences, fingerprint
from bot.request.pairing import IssueLine, Replication, Server, Snapshot, digest_of

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
    "names": {"replications": (Replication(id="1", name="other"),)},
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


@pytest.mark.parametrize("field", ["local_vc", "remote_vc", "local_vrms", "remote_vrms"])
def test_people_read_names_before_and_now(field: str) -> None:
    shown = PLAIN.model_copy(update={field: Server(id="e839", name="oslo.example.com")})
    now = PLAIN.model_copy(update={field: Server(id="77AB", name="rome.example.com")})
    (line,) = differences(shown, now, force=False)
    assert line.endswith(": was oslo.example.com, is now rome.example.com")


def test_where_the_names_are_equal_the_ids_are_told_as_they_came() -> None:
    shown = PLAIN.model_copy(update={"remote_vc": Server(id="e839", name="oslo")})
    now = in_capitals(PLAIN).model_copy(update={"remote_vc": Server(id="77AB", name="oslo")})
    assert differences(shown, now, force=False) == (
        "remote vCenter: another one of the same name, oslo; its id was e839, is now 77AB",
    )


def test_one_without_a_name_is_told_by_its_id() -> None:
    now = PLAIN.model_copy(update={"remote_vc": Server(id="RX")})
    assert differences(PLAIN, now, force=False) == ("remote vCenter: was b, is now RX",)


def test_which_replications_came_and_which_went() -> None:
    shown = with_vms(r1="db-01", r2="db-02", r3="mail")
    now = with_vms(R1="db-01", r4="web-01", r5="web-02", r6="web-03", r7="web-04", r8="web-05")
    assert differences(shown, now, force=False) == (
        "number of replications: was 3, is now 6",
        "replications gone since: db-02, mail",
        "replications new since: web-01, web-02, web-03, web-04, web-05",
    )


def test_of_two_replications_with_one_name_the_ids_are_told() -> None:
    shown, now = with_vms(r1="db-01", r2="mail"), with_vms(r9="db-01", r2="mail")
    assert differences(shown, now, force=False) == (
        "replications gone since: db-01 (id r1)",
        "replications new since: db-01 (id r9)",
    )


def test_a_renamed_replication_is_the_same_one() -> None:
    assert differences(with_vms(r1="db-01"), with_vms(r1="db-09"), force=False) == ()


def test_where_not_all_are_known_by_name_none_is_called_gone() -> None:
    many = with_vms(r1="db-01", r2="db-02").model_copy(update={"count": 900})
    other = with_vms(r1="db-01", r3="db-03").model_copy(update={"count": 900})
    assert differences(many, other, force=False) == (
        "replications: as many as before, but not the same ones",
    )
    fewer = with_vms(r1="db-01", r2="db-02").model_copy(update={"count": 899})
    assert differences(many, fewer, force=False) == ("number of replications: was 900, is now 899",)


def test_it_is_told_even_where_the_names_do_not_tell() -> None:
    """An approval must not hold because the names that are kept look the same."""
    shown = with_vms(r1="db-01")
    now = shown.model_copy(update={"replications_digest": digest_of(["r2"])})
    assert differences(shown, now, force=False) == (
        "replications: as many as before, but not the same ones",
    )


def test_a_name_of_any_length_leaves_room_for_the_other() -> None:
    shown = PLAIN.model_copy(update={"remote_vc": Server(id="1", name="a" * 900)})
    now = PLAIN.model_copy(update={"remote_vc": Server(id="2", name="b" * 900)})
    (line,) = differences(shown, now, force=False)
    assert "is now bbb" in line
    assert len(line) < 250
