"""The settings of several appliances, and values that are never shown."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.settings import ApplianceSettings, SettingsError, load, load_database
from bot.settings.names import SECRETS, setting_names
from bot.worker.drive import lease_ms

SECRET = "s3cr3t-Zebra"
NONE_OF_THE_SINGLE = {"VR_HOST": None, "VR_USERNAME": None, "VR_PASSWORD": None}


# ---- several appliances --------------------------------------------------------------------------


def site(name: str, **more: str) -> dict[str, str]:
    given = {"HOST": f"vr-{name.lower()}", "USERNAME": "bot", "PASSWORD": SECRET, **more}
    return {f"VR_SITES__{name}__{suffix}": value for suffix, value in given.items()}


@pytest.fixture
def load_sites(load_with: Any) -> Any:
    return lambda **values: load_with(**{**NONE_OF_THE_SINGLE, **values})


@pytest.fixture
def wrong(sentences_with: Any) -> Any:
    return lambda **values: sentences_with(**{**NONE_OF_THE_SINGLE, **values})


def test_each_has_every_setting_of_the_single_one(load_sites: Any) -> None:
    more = {
        "REMOTE_USERNAME": "far",
        "REMOTE_PASSWORD": "away",
        "FINGERPRINT": "ab" * 32,
        "BASE_PATH": "/api/x",
        "POLL_SECONDS": "7",
        "TIMEOUT_SECONDS": "60",
        "CALLS_PER_MINUTE": "30",
    }
    fields = {field.upper() for field in ApplianceSettings.model_fields}
    assert {"HOST", "USERNAME", "PASSWORD", "CA_FILE"} | set(more) == fields
    settings = load_sites(**site("LYON", **more), **site("oslo-2"))
    assert list(settings.sites) == ["lyon", "oslo-2"]
    lyon = settings.sites["lyon"].model_dump(exclude={"password", "remote_password", "ca_file"})
    assert [str(value) for value in lyon.values()] == [
        *("vr-lyon", "bot", "far", "ab" * 32, "/api/x", "7.0", "60.0", "30")
    ]
    policy = settings.policy()
    terms = policy.terms("oslo-2", force=False)
    assert (terms.appliance, terms.several) == ("vr-oslo-2", True)
    assert policy.terms("gone", force=False).timeout_ms == 60_000
    assert lease_ms(s.timeout_seconds for s in settings.sites.values()) == 150_000


def test_the_single_one_is_called_default_and_may_be_named_so_among_several(
    load_with: Any, load_sites: Any
) -> None:
    """Its open requests go on under that name."""
    assert list(load_with().sites) == ["default"]
    assert list(load_sites(**site("DEFAULT"), **site("OSLO")).sites) == ["default", "oslo"]


def test_the_environment_wins_whatever_the_case(load_sites: Any, tmp_path: Path) -> None:
    """Over the file, and that over a file of a secret."""
    (tmp_path / ".env").write_text("VR_SITES__lyon__HOST=no\nVR_SITES__lyon__BASE_PATH=/x\n")
    (tmp_path / "VR_SITES__Lyon__PASSWORD").write_text("of the file\n")
    given = {**site("LYON"), "SECRETS_DIR": str(tmp_path)}
    lyon = load_sites(**given).sites["lyon"]
    assert (lyon.host, lyon.base_path) == ("vr-lyon", "/x")
    assert lyon.password.get_secret_value() == SECRET
    del given["VR_SITES__LYON__PASSWORD"]
    assert load_sites(**given).sites["lyon"].password.get_secret_value() == "of the file"


def test_both_kinds_side_by_side_are_an_error(sentences_with: Any) -> None:
    found = sentences_with(**site("LYON"))
    assert set(found) == {"VR_HOST", "VR_USERNAME", "VR_PASSWORD"}
    assert "VR_SITES__LYON__HOST" in found["VR_HOST"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("VR_SITES__LYON__USER", "a site has HOST, USERNAME"),
        ("VR_SITES__LYON__host", "a site has HOST, USERNAME"),
        ("VR_SITES__HOST", "write VR_SITES__<NAME>__HOST"),
        ("VR_SITES__LY.ON__HOST", "no name between"),
        ("VR_SITES___LYON__HOST", "no name between"),
        (f"VR_SITES__{'L' * 31}__HOST", "no name between"),
    ],
)
def test_a_name_that_is_none_is_told(wrong: Any, name: str, says: str) -> None:
    found = wrong(**site("OSLO"), **{name: "x"})
    assert list(found) == [name]
    assert says in found[name]


@pytest.mark.parametrize(
    ("values", "settings", "says"),
    [
        ({"VR_SITES__LYON__HOST": "a"}, ["USERNAME", "PASSWORD"], "is not set"),
        (site("LYON", FINGERPRINT="x"), ["FINGERPRINT"], "64 hexadecimal"),
        (site("LYON", BASE_PATH=SECRET), ["BASE_PATH"], "must be a path"),
        (site("LYON", REMOTE_USERNAME="x"), ["REMOTE_PASSWORD"], "VR_SITES__LYON__REMOTE_USERNAME"),
        ({**site("BERN"), **site("LYON", HOST="VR-BERN:443")}, ["HOST"], "VR_SITES__BERN__HOST"),
    ],
)
def test_a_wrong_value_is_told_by_its_whole_name(
    wrong: Any, values: dict[str, str], settings: list[str], says: str
) -> None:
    found = wrong(**values)
    assert list(found) == [f"VR_SITES__LYON__{setting}" for setting in settings]
    assert all(says in sentence and SECRET not in sentence for sentence in found.values())


# ---- secrets -------------------------------------------------------------------------------------


def everything_about(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.__context__)


def test_each_secret_is_one_and_in_no_text_of_settings(
    required: dict[str, str], tmp_path: Path
) -> None:
    others = {"DATABASE_URL", "SLACK_APP_TOKEN", "AUDIT_KEY", "AUDIT_TOKEN"}
    secrets = dict.fromkeys(SECRETS - others, SECRET)
    settings = load({**required, **secrets, "VR_REMOTE_USERNAME": "there"}, tmp_path)
    both = (settings, ""), (settings.sites["default"], "VR_")
    found = {
        prefix + name.upper()
        for model, prefix in both
        for name in type(model).model_fields
        if isinstance(getattr(model, name), SecretStr)
    }
    assert found | others == SECRETS
    for text in (repr(settings), str(settings), str(settings.model_dump()), repr(settings.sites)):
        assert SECRET not in text


@pytest.mark.parametrize("name", setting_names())
@pytest.mark.parametrize("spoilt", ["{}", "{}\n", "{} {}", "xoxb-12345-{}", "mysql://u:{}@h:x/d"])
def test_no_value_is_in_an_error_wherever_it_stands(
    required: dict[str, str], tmp_path: Path, name: str, spoilt: str
) -> None:
    """In a secret that is wrong, and on any other line."""
    given = {**required, "VR_PASSWORD": SECRET, "PORT": SECRET}
    with pytest.raises(SettingsError) as caught:
        load({**given, name: spoilt.replace("{}", SECRET), "HOST": f"{SECRET}:1"}, tmp_path)
    assert SECRET not in everything_about(caught.value)


def test_nor_in_that_of_the_file_and_its_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, required: dict[str, str]
) -> None:
    (tmp_path / ".env").write_text(f"VR_PASSWORD {SECRET}\n")
    with caplog.at_level(logging.DEBUG), pytest.raises(SettingsError) as caught:
        load(required, tmp_path)
    assert SECRET not in everything_about(caught.value) + caplog.text


def test_nor_where_the_database_alone_is_read(tmp_path: Path) -> None:
    for address in (f"mysql://u:{SECRET}@h/d", f"postgresql+psycopg://u:{SECRET}@h:port/d"):
        with pytest.raises(SettingsError) as caught:
            load_database({"DATABASE_URL": address}, tmp_path)
        assert SECRET not in everything_about(caught.value)
