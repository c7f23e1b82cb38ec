"""`VR_SITES__<NAME>__…`: several appliances instead of the single one of `VR_*`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.settings import ApplianceSettings, SettingsError, load
from bot.settings.names import site_prefix
from bot.worker.drive import lease_ms

SECRET = "the-site-password"
NONE_OF_THE_SINGLE = {"VR_HOST": None, "VR_USERNAME": None, "VR_PASSWORD": None}


def site(name: str, **more: str) -> dict[str, str]:
    given = {"HOST": f"vr-{name.lower()}", "USERNAME": "bot", "PASSWORD": SECRET, **more}
    return {f"VR_SITES__{name}__{suffix}": value for suffix, value in given.items()}


@pytest.fixture
def load_sites(load_with: Any) -> Any:
    return lambda **values: load_with(**{**NONE_OF_THE_SINGLE, **values}).sites


@pytest.fixture
def wrong(sentences_with: Any) -> Any:
    return lambda **values: sentences_with(**{**NONE_OF_THE_SINGLE, **values})


def test_each_with_every_setting_of_the_single_one(load_sites: Any, tmp_path: Path) -> None:
    more = {
        "REMOTE_USERNAME": "far",
        "REMOTE_PASSWORD": "away",
        "BASE_PATH": "/api/x",
        "POLL_SECONDS": "7",
        "TIMEOUT_SECONDS": "20",
        "CALLS_PER_MINUTE": "30",
        "FINGERPRINT": "AB" * 32,
    }
    assert {"HOST", "USERNAME", "PASSWORD", "CA_FILE"} | set(more) == {
        field.upper() for field in ApplianceSettings.model_fields
    }
    sites = load_sites(**site("LYON", **more), **site("oslo-2"))
    assert list(sites) == ["lyon", "oslo-2"]
    lyon = sites["lyon"]
    assert (lyon.host, lyon.remote_username, lyon.poll_seconds) == ("vr-lyon", "far", 7)
    assert (lyon.calls_per_minute, lyon.fingerprint, lyon.base_path) == (30, "ab" * 32, "/api/x")
    assert sites["oslo-2"].calls_per_minute == 40


def test_what_depends_on_them(load_with: Any) -> None:
    sites = {**site("LYON", TIMEOUT_SECONDS="60"), **site("OSLO")}
    settings = load_with(**{**NONE_OF_THE_SINGLE, **sites})
    policy = settings.policy()
    assert policy.sites["lyon"].timeout_ms == 60_000
    assert policy.terms("oslo", force=False).appliance == "vr-oslo"
    assert policy.terms("oslo", force=False).several
    assert policy.terms("gone", force=False).timeout_ms == 60_000
    assert lease_ms(s.timeout_seconds for s in settings.sites.values()) == 150_000


def test_the_environment_wins_over_the_file_whatever_the_case(
    load_sites: Any, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(
        "VR_SITES__lyon__HOST=of-the-file\nVR_SITES__lyon__BASE_PATH=/x\n"
    )
    sites = load_sites(**site("LYON"))
    assert (sites["lyon"].host, sites["lyon"].base_path) == ("vr-lyon", "/x")


def test_a_secret_may_be_a_file(load_sites: Any, tmp_path: Path) -> None:
    (tmp_path / "VR_SITES__Lyon__PASSWORD").write_text("of the file\n")
    given = site("LYON")
    del given["VR_SITES__LYON__PASSWORD"]
    sites = load_sites(**given, SECRETS_DIR=str(tmp_path))
    assert sites["lyon"].password.get_secret_value() == "of the file"
    assert (
        load_sites(**site("LYON"), SECRETS_DIR=str(tmp_path))["lyon"].password.get_secret_value()
        == SECRET
    )


def test_both_kinds_side_by_side_are_an_error(sentences_with: Any) -> None:
    found = sentences_with(**site("LYON"))
    assert set(found) == {"VR_HOST", "VR_USERNAME", "VR_PASSWORD"}
    assert "VR_HOST is set beside VR_SITES__LYON__HOST: keep" in found["VR_HOST"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("VR_SITES__LYON__USER", "did you mean VR_SITES__LYON__USERNAME?"),
        ("VR_SITES__LYON__PASSWORT", "did you mean VR_SITES__LYON__PASSWORD?"),
        ("VR_SITES__LYON__host", "did you mean VR_SITES__LYON__HOST?"),
        ("VR_SITES__LYON__VR_HOST", "did you mean VR_SITES__LYON__HOST?"),
        ("VR_SITES__LYON__REMOTE__USERNAME", "did you mean VR_SITES__LYON__REMOTE_USERNAME?"),
        ("VR_SITES__LYON__COLOUR", "a site has HOST, USERNAME"),
        ("VR_SITES__HOST", "write VR_SITES__<NAME>__HOST"),
        ("VR_SITES__LY.ON__HOST", "no name of a site"),
        ("VR_SITES___LYON__HOST", "no name of a site"),
        (f"VR_SITES__{'L' * 31}__HOST", "no name of a site"),
    ],
)
def test_a_name_that_is_none_is_told(wrong: Any, name: str, said: str) -> None:
    found = wrong(**site("OSLO"), **{name: "x"})
    assert list(found) == [name]
    assert said in found[name]


def test_what_is_missing_is_told_for_each_site(wrong: Any) -> None:
    found = wrong(VR_SITES__LYON__HOST="a", VR_SITES__OSLO__USERNAME="b")
    assert set(found) == {
        "VR_SITES__LYON__USERNAME",
        "VR_SITES__LYON__PASSWORD",
        "VR_SITES__OSLO__HOST",
        "VR_SITES__OSLO__PASSWORD",
    }
    assert found["VR_SITES__OSLO__HOST"].startswith("VR_SITES__OSLO__HOST is not set: name")


@pytest.mark.parametrize(
    ("values", "setting", "said"),
    [
        (site("LYON", FINGERPRINT="x"), "VR_SITES__LYON__FINGERPRINT", "64 hexadecimal"),
        (
            site("LYON", REMOTE_USERNAME="x"),
            "VR_SITES__LYON__REMOTE_PASSWORD",
            "although VR_SITES__LYON__REMOTE_USERNAME is",
        ),
        (
            {**site("LYON"), **site("OSLO", HOST="VR-LYON:443")},
            "VR_SITES__OSLO__HOST",
            "the same appliance as VR_SITES__LYON__HOST",
        ),
        (
            {**site("LYON"), "VR_SITES__lyon__HOST": "b"},
            "VR_SITES__LYON__HOST",
            "VR_SITES__lyon__HOST and VR_SITES__LYON__HOST are the same",
        ),
    ],
)
def test_a_wrong_value_is_told_by_its_whole_name(
    wrong: Any, values: dict[str, str], setting: str, said: str
) -> None:
    assert said in wrong(**values)[setting]


def test_a_password_on_the_wrong_line_is_not_repeated(required: dict[str, str]) -> None:
    given = {name: value for name, value in required.items() if not name.startswith("VR_")}
    with pytest.raises(SettingsError) as caught:
        load({**given, **site("LYON", BASE_PATH=SECRET)})
    assert "VR_SITES__LYON__BASE_PATH" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_the_single_one_is_called_default_and_may_be_named_so_among_several(
    load_with: Any, load_sites: Any
) -> None:
    """Its open requests go on under that name."""
    assert list(load_with().sites) == ["default"]
    assert list(load_sites(**site("DEFAULT"), **site("OSLO"))) == ["default", "oslo"]
    assert site_prefix("oslo-2") == "VR_SITES__OSLO-2__"
