"""What each setting takes, and that a wrong value is refused by the setting's name."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.audit_key import new_key
from bot.request.pools import ALL
from bot.settings import ApplianceSettings, Settings
from bot.settings.defaults import PoolSettings
from bot.settings.values import duration

PRINT = "AB:" * 31 + "AB"
UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
YEAR_MS = 365 * UNITS_MS["d"]

TAKEN: dict[str, list[tuple[str, object]]] = {
    "SLACK_BOT_TOKEN": [("xoxb-2", "xoxb-2")],
    "SLACK_SIGNING_SECRET": [("2", "2")],
    "SLACK_APP_TOKEN": [("xapp-2", "xapp-2")],
    "SLACK_API_URL": [
        ("https://slack-gov.com/api", "https://slack-gov.com/api/"),
        ("http://127.0.0.1:8080/api", "http://127.0.0.1:8080/api/"),
        ("http://[::1]:80/", "http://[::1]:80/"),
        ("http://localhost/api", "http://localhost/api/"),
    ],
    "SLACK_COMMAND": [("/vr-unpair_2", "/vr-unpair_2")],
    "DEPLOYMENT_LABEL": [("Köln, production", "Köln, production")],
    "APPROVERS": [(" U1 ,,S0GROUP,U1,", ("U1", "S0GROUP"))],
    "APPROVALS_REQUIRED": [("2", 2)],
    "FORCE_APPROVALS_REQUIRED": [("3", 3)],
    "SAME_PERSON": [("U1+U2, W3 + U4", (("U1", "U2"), ("W3", "U4")))],
    "NOTIFY": [("U7", ("U7",)), ("None", ())],
    "BREAK_GLASS": [("U9", ("U9",))],
    "REQUESTERS": [("U7,W8", ("U7", "W8"))],
    "CHANNELS": [("C1,G2", ("C1", "G2"))],
    "REQUIRE_REASON": [("TRUE", True)],
    "REASON_PATTERN": [(r"CHG\d{7}", r"CHG\d{7}")],
    "APPROVAL_TTL": [("90s", 90_000)],
    "EXECUTION_TTL": [("2h", 7_200_000)],
    "FOLLOW_TTL": [("2d", 172_800_000)],
    "REMIND_AFTER": [("0", 0), ("5m", 300_000)],
    "SCHEDULE_MAX": [("0", 0)],
    "KEEP_FOR": [("1d", 86_400_000)],
    "DATABASE_URL": [("sqlite:///other.db", "sqlite:///other.db")],
    "HOST": [("127.0.0.1", "127.0.0.1"), ("::1", "::1")],
    "PORT": [("8443", 8443)],
    "OPERATE_PORT": [("9090", 9090), ("3000", None), ("0", 0)],
    "DRY_RUN": [("on", True), ("0", False)],
    "AUDIT_BEFORE_ACT": [("Log", "log"), ("off", "off")],
    "LOG_LEVEL": [("DEBUG", "debug")],
    "LOG_FORMAT": [("json", "json")],
    "VR_HOST": [(h, h) for h in ("vr:8443", "192.0.2.1", "[2001:db8::1]", "[2001:db8::1]:443")],
    "VR_USERNAME": [("u@vsphere.local", "u@vsphere.local")],
    "VR_PASSWORD": [(" a ${b} # c:d ", " a ${b} # c:d ")],
    "VR_FINGERPRINT": [(PRINT, "ab" * 32), ("ab" * 32, "ab" * 32)],
    "VR_BASE_PATH": [("/vr/v1/", "/vr/v1")],
    "VR_POLL_SECONDS": [("0.1", 0.1), (".5", 0.5)],
    "VR_TIMEOUT_SECONDS": [("3", 3.0)],
    "VR_CALLS_PER_MINUTE": [("20", 20), ("1000", 1000)],
}
WITH_OTHERS = {
    "AUDIT_KEY_FILE",
    "AUDIT_KEY",
    "AUDIT_URL",
    "AUDIT_TOKEN",
    "VR_CA_FILE",
    "VR_REMOTE_USERNAME",
    "VR_REMOTE_PASSWORD",
}

REFUSED: dict[str, list[str]] = {
    "SLACK_BOT_TOKEN": ["xoxb-a b", "xoxb-a\n", "xapp-1"],
    "SLACK_SIGNING_SECRET": ["a\tb"],
    "SLACK_API_URL": [
        "slack.com/api",
        "ftp://slack.com/api",
        "http://slack.com/api/",
        "http://localhost.example.net/",
        "http://127.0.0.1.example.net/",
        "http://0.0.0.0/api/",
        "https://u:p@slack.com/api",
        "https://slack.com:99999/api",
        "https://slack.com/api?x=1",
    ],
    "SLACK_COMMAND": ["vr-unpair", "/VR", "/two words", "/" + "a" * 32],
    "DEPLOYMENT_LABEL": ["two\nlines", "x" * 81],
    "APPROVERS": ["@alice", "u123", "U1;U2", "C123", "none"],
    "APPROVALS_REQUIRED": ["0", "two", "1.0"],
    "FORCE_APPROVALS_REQUIRED": ["-1"],
    "SAME_PERSON": ["U1", "U1+", "U1+U2,U2+U3", "U1+S2", "U1+U1"],
    "NOTIFY": ["none,U1"],
    # An empty list would mean everybody.
    "REQUESTERS": [",", " "],
    "CHANNELS": [",", "#ops"],
    "REQUIRE_REASON": ["ja"],
    "DRY_RUN": ["ture", " "],
    "REASON_PATTERN": ["CHG["],
    "APPROVAL_TTL": ["0", "0s"],
    "EXECUTION_TTL": ["10"],
    "FOLLOW_TTL": ["9999d"],
    "REMIND_AFTER": ["never"],
    "KEEP_FOR": ["23h", "0"],
    "DATABASE_URL": [
        "mysql://x/y",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory",
        "sqlite:///a.db?mode=ro",
        "sqlite:///a\0.db",
        "postgresql+psycopg://",
    ],
    "HOST": ["0.0.0.0:3000", "http://x"],
    "PORT": ["65536", "http"],
    "OPERATE_PORT": ["65536"],
    "AUDIT_KEY": ["none"],
    "AUDIT_BEFORE_ACT": ["on", "http"],
    "LOG_LEVEL": ["loud"],
    "LOG_FORMAT": ["xml"],
    "VR_HOST": [
        *("https://vr", "vr/api", "user@vr", "vr?a", "vr#a", "a b", "-vr"),
        *("2001:db8::1", "[fe80::1%eth0]", "[::1", "[192.0.2.1]", "192.0.2", "300.0.0.1"),
        *("vr:0", "vr:70000", "vr:", ":443"),
    ],
    "VR_USERNAME": ["a:b", " ", "a\udcff"],
    "VR_PASSWORD": ["line\nend", "a\0"],
    "VR_FINGERPRINT": ["ab" * 20, "ab" * 31, "zz" * 32],
    "VR_BASE_PATH": ["api", "/", "/a/../b", "/a?b=c"],
    "VR_POLL_SECONDS": ["0", "0.09", "3601", "nan", "inf", ".", "5s"],
    "VR_TIMEOUT_SECONDS": ["-1", "301"],
    "VR_CALLS_PER_MINUTE": ["19", "100001"],
}


def value_of(settings: Settings, name: str) -> object:
    field = name.lower()
    found: object
    if field in Settings.model_fields:
        found = getattr(settings, field)
    elif field in PoolSettings.model_fields:
        found = getattr(settings.pools[ALL], field)
    else:
        found = getattr(settings.sites["default"], field.removeprefix("vr_"))
    return found.get_secret_value() if isinstance(found, SecretStr) else found


@pytest.mark.parametrize("name", TAKEN)
def test_taken(load_with: Any, name: str) -> None:
    way_in = {"SLACK_SIGNING_SECRET": None} if name == "SLACK_APP_TOKEN" else {}
    for text, value in TAKEN[name]:
        assert value_of(load_with(**{name: text}, **way_in), name) == value


def test_no_setting_is_ignored() -> None:
    own = {field.upper() for field in Settings.model_fields} - {"SITES", "POOLS"}
    own |= {field.upper() for field in PoolSettings.model_fields}
    site = {f"VR_{field.upper()}" for field in ApplianceSettings.model_fields}
    assert set(TAKEN) == (own | site) - WITH_OTHERS


@pytest.mark.parametrize(("name", "text"), [(n, t) for n in REFUSED for t in REFUSED[n]])
def test_refused(sentences_with: Any, name: str, text: str) -> None:
    found = sentences_with(**{name: text})
    assert list(found) == [name]
    assert found[name].startswith(f"{name} ")
    assert found[name].endswith(".")


@pytest.mark.parametrize("quoted", ["“{}”", "„{}“", "\u2018{}\u2019", "«{}»"])
@pytest.mark.parametrize("name", ["VR_PASSWORD", "VR_USERNAME", "REASON_PATTERN"])
def test_typographic_quotes_are_no_quotes(sentences_with: Any, name: str, quoted: str) -> None:
    (sentence,) = sentences_with(**{name: quoted.format("hunter2")}).values()
    assert sentence.startswith(f"{name} is in typographic quotes")
    assert "hunter2" not in sentence


@pytest.mark.parametrize(
    ("name", "text"), [("APPROVERS", "U1, @anna"), ("CHANNELS", "C1,#ops"), ("NOTIFY", "U1,<@U2>")]
)
def test_a_name_is_no_id(sentences_with: Any, name: str, text: str) -> None:
    assert "number 2 is a name, not an id" in sentences_with(**{name: text})[name]


def test_what_follows_from_others(load_with: Any) -> None:
    settings = load_with(APPROVALS_REQUIRED="2")
    assert [pool.needed for pool in settings.policy().required(force=True)] == [2]
    assert settings.effective_notify == settings.approvers == ("UALICE", "WBOB")
    forced = load_with(FORCE_APPROVALS_REQUIRED="3").policy()
    assert [pool.needed for pool in forced.required(force=True)] == [3]
    assert [pool.needed for pool in forced.required(force=False)] == [1]
    assert load_with(NOTIFY="none").effective_notify == ()


def test_pools_instead_of_one_list(load_with: Any) -> None:
    settings = load_with(
        APPROVERS=None,
        APPROVERS__storage="U1,S2",
        APPROVERS__SECURITY="U3",
        APPROVALS_REQUIRED__SECURITY="2",
        FORCE_APPROVALS_REQUIRED__STORAGE="3",
    )
    policy = settings.policy()
    for force, numbers in (
        (False, {"security": 2, "storage": 1}),
        (True, {"security": 2, "storage": 3}),
    ):
        assert {pool.name: pool.needed for pool in policy.required(force=force)} == numbers
    assert policy.approvers == {"U1", "S2", "U3"} == set(settings.effective_notify)


def test_pools_that_nobody_could_mean(sentences_with: Any) -> None:
    both = sentences_with(APPROVERS__DISKS="U1")
    assert "APPROVERS__NAME" in both["APPROVERS"]
    one = {"APPROVERS": None, "APPROVERS__DISKS": "U1"}
    assert (
        "APPROVALS_REQUIRED__NAME"
        in sentences_with(**one, APPROVALS_REQUIRED="2")["APPROVALS_REQUIRED"]
    )
    unknown = sentences_with(**one, APPROVALS_REQUIRED__GUARDS="2")
    assert unknown["APPROVERS__GUARDS"].startswith("APPROVERS__GUARDS is not set")
    assert "APPROVERS____" in sentences_with(**one, APPROVERS____="U1")
    assert list(sentences_with(APPROVERS__A="U1;U2", APPROVERS=None)) == ["APPROVERS__A"]


def test_the_remote_login_is_both_or_neither(load_with: Any, sentences_with: Any) -> None:
    both = {"VR_REMOTE_USERNAME": "there", "VR_REMOTE_PASSWORD": "the-remote-password"}
    for name, value in both.items():
        assert value_of(load_with(**both), name) == value
        found = sentences_with(**{name: value})
        assert list(found) == ["VR_REMOTE_PASSWORD"]
        assert "VR_REMOTE_USERNAME" in found["VR_REMOTE_PASSWORD"]


def test_one_kind_of_trust_read_from_the_working_directory(
    load_with: Any, sentences_with: Any, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for text in ("ca.pem", str(tmp_path / "ca.pem")):
        assert value_of(load_with(VR_CA_FILE=text), "VR_CA_FILE") == tmp_path / "ca.pem"
    found = sentences_with(VR_CA_FILE="ca.pem", VR_FINGERPRINT=PRINT)
    assert list(found) == ["VR_FINGERPRINT"]
    assert "VR_CA_FILE" in found["VR_FINGERPRINT"]


@pytest.mark.parametrize(
    "make",
    [
        lambda path: None,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\x30\x82"),
        os.mkdir,
    ],
    ids=["nothing", "empty", "no PEM", "folder"],
)
def test_a_ca_file_that_cannot_be_trusted(sentences_with: Any, tmp_path: Path, make: Any) -> None:
    make(tmp_path / "ca.pem")
    assert list(sentences_with(VR_CA_FILE="ca.pem")) == ["VR_CA_FILE"]


def test_where_it_listens_follows_from_the_mode(load_with: Any) -> None:
    assert load_with().host == "0.0.0.0"
    socket = {"SLACK_SIGNING_SECRET": None, "SLACK_APP_TOKEN": "xapp-1"}
    assert load_with(**socket).host == "127.0.0.1"
    assert load_with(**socket, HOST="0.0.0.0").host == "0.0.0.0"


def test_empty_means_not_set(load_with: Any, sentences_with: Any) -> None:
    settings = load_with(PORT="", DRY_RUN="", NOTIFY="", VR_CA_FILE="", SLACK_APP_TOKEN="")
    assert settings == load_with()
    assert "is not set" in sentences_with(APPROVERS="")["APPROVERS"]


# ---- durations -----------------------------------------------------------------------------------


@given(st.sampled_from("smhd"), st.integers(0, 10**8))
def test_every_whole_number_of_a_unit_up_to_a_year(unit: str, number: int) -> None:
    value_ms = number * UNITS_MS[unit]
    if 0 < value_ms <= YEAR_MS:
        assert duration("1s")(f" {number}{unit}") == value_ms
    else:
        with pytest.raises(ValueError, match="from 1s to 365d"):
            duration("1s")(f"{number}{unit}")


@given(st.text(max_size=12))
def test_any_other_text_gives_a_printable_sentence(text: str) -> None:
    if re.fullmatch(r"[0-9]+[smhd]", text.strip()) is None:
        with pytest.raises(ValueError, match=r"\Amust be [^\x00-\x1f]+\Z"):
            duration("1s")(text)


# ---- the audit trail ----------------------------------------------------------------------------


def written(path: Path, text: str, mode: int = 0o600) -> str:
    path.write_text(text)
    path.chmod(mode)
    return path.name


def test_the_key_is_read_from_a_file_that_is_private_or_from_secrets_dir(
    load_with: Any, sentences_with: Any, tmp_path: Path
) -> None:
    made = new_key(tmp_path / "audit.pem")
    pem = (tmp_path / "audit.pem").read_text()
    signer = load_with(AUDIT_KEY_FILE="audit.pem").signer()
    assert (signer.id, signer.public) == (made.id, (tmp_path / "audit.pem.pub").read_text())
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "AUDIT_KEY").write_text(pem)
    settings = load_with(SECRETS_DIR="secrets")
    assert settings.signer().id == made.id
    assert pem.strip() in settings.secrets()
    both = sentences_with(SECRETS_DIR="secrets", AUDIT_KEY_FILE="audit.pem")
    assert "both set" in both["AUDIT_KEY_FILE"]
    rsa = trustme.CA().private_key_pem.bytes().decode()
    for file, says in (
        (written(tmp_path / "group.pem", pem, 0o640), "others may read"),
        (written(tmp_path / "all.pem", pem, 0o604), "others may read"),
        (written(tmp_path / "other.pem", rsa), "holds no Ed25519 private key"),
        (written(tmp_path / "public.pem", made.public), "holds no Ed25519 private key"),
        ("missing.pem", "cannot be read"),
    ):
        found = sentences_with(AUDIT_KEY_FILE=file)
        assert list(found) == ["AUDIT_KEY_FILE"]
        assert says in found["AUDIT_KEY_FILE"]


def test_the_collector_and_what_waits_for_it_belong_together(
    load_with: Any, sentences_with: Any
) -> None:
    http = {"AUDIT_BEFORE_ACT": "http"}
    for url in ("https://c.example.net/audit?source=x", "http://127.0.0.1:1/", "http://[::1]/"):
        settings = load_with(**http, AUDIT_URL=url, AUDIT_TOKEN="the-token")
        assert (settings.audit_url, settings.audit_before_act) == (url, "http")
        assert "the-token" in settings.secrets()
    for url in (
        *("c.example.net", "ftp://c.example.net", "http://c.example.net/", "https://c:99999/"),
        *("https://u:p@c.example.net/", "https://c.example.net/#a", "https://c.example.net/a b"),
    ):
        assert list(sentences_with(**http, AUDIT_URL=url)) == ["AUDIT_URL"]
    assert "name the collector" in sentences_with(**http)["AUDIT_BEFORE_ACT"]
    for name, text in {"AUDIT_URL": "https://c.example.net/", "AUDIT_TOKEN": "t"}.items():
        assert f"{name} is set, but" in sentences_with(**{name: text})[name]
