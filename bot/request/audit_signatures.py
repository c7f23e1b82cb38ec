"""Which keys sign the audit trail, by its own records, and whether each record is signed by one.

A key is listed by a record: its public half, and what it retires. The first such record begins the
signed part of the trail. It is signed by the key that it lists, and holds a random id of this
deployment, so what follows belongs to no other trail. Every other one is signed by a key that was
listed already; this is how the key of another copy comes in, and how one key replaces another. From
the first on, each record is signed over its own hash, which covers all before it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable

from bot.request.audit_chain import SYSTEM, Entry, Record

LISTED = "key_listed"

_SPKI = bytes.fromhex("302a300506032b6570032100")
"""Before the 32 bytes of an Ed25519 public key in DER (RFC 8410, section 4)."""

_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----\n([\w+/=\n]{1,200})-----END PUBLIC KEY-----")

Valid = Callable[[str, str, str], bool]
"""Whether a public key in PEM has made this signature (base64) of this hash (64 characters)."""


def key_id(public: str) -> str | None:
    """The first 16 hexadecimal digits of the SHA-256 of its 32 bytes; None for what is no Ed25519
    public key in PEM."""
    lines = public.split()
    if " ".join(lines[:3]) != "-----BEGIN PUBLIC KEY-----" or lines[-3:-1] != [
        "-----END",
        "PUBLIC",
    ]:
        return None
    try:
        der = base64.b64decode("".join(lines[3:-3]), validate=True)
    except binascii.Error:
        return None
    if not der.startswith(_SPKI) or len(der) != len(_SPKI) + 32:
        return None
    return hashlib.sha256(der[len(_SPKI) :]).hexdigest()[:16]


def listing(
    public: str, at: int, by: str = SYSTEM, retired: str = "", deployment: str = ""
) -> Entry:
    """`deployment` is in the first one alone. Raises ValueError for what is no public key."""
    key = key_id(public)
    if key is None:
        raise ValueError("not an Ed25519 public key in PEM")
    detail = {"key": key, "public": public, "retired": retired, "deployment": deployment}
    return Entry(
        action=LISTED, actor=by, at=at, detail={name: v for name, v in detail.items() if v}
    )


def listed_after(keys: Iterable[str], entry: Entry | Record) -> tuple[str, ...]:
    """The ids of the keys that may sign behind this record."""
    if entry.action != LISTED:
        return tuple(keys)
    kept = dict.fromkeys((*keys, str(entry.detail.get("key"))))
    kept.pop(str(entry.detail.get("retired")), None)
    return tuple(kept)


class Signatures:
    """Goes over records whose hashes are right, in their order.

    `given`: public keys that somebody trusts. From the first record that one of these has signed,
    the others count only where such a key has listed them. With `partial` the records do not begin
    with the first of the trail: then what was listed before is not known, and `given` stands for
    it.
    """

    def __init__(self, valid: Valid, given: Iterable[str] = (), *, partial: bool = False) -> None:
        self.given = {key_id(public) or "": public for public in given}
        self.first: int | None = None
        """The number of the first signed record."""
        self.proven: int | None = None
        """That of the first one that a key of `given` has signed."""
        self.deployment = ""
        self.why = ""
        """What is wrong with the record that was refused."""
        self.keys: tuple[str, ...] = tuple(self.given) if partial else ()
        self._valid = valid
        self._public = dict(self.given) if partial else {}
        self._trusted = set(self.given)

    def refuses(self, record: Record) -> bool:
        self.why = self._wrong(record)
        return bool(self.why)

    @property
    def unlisted(self) -> list[str]:
        """Those of `given` that no record lists."""
        return [key for key in self.given if key not in self._public]

    def _wrong(self, record: Record) -> str:
        key, listed = record.key, record.detail.get("key")
        if record.signature is None or key is None:
            signed = self.first is not None or record.action == LISTED
            return "it is not signed, though the trail is" if signed else ""
        public = str(record.detail.get("public", ""))
        named = record.action == LISTED and key_id(public) == listed
        if not self.keys:
            if not named or listed != key:
                return "the first signed record has to list its own key"
            self._public[key], self.keys = public, (key,)
            self.deployment = str(record.detail.get("deployment", ""))
        if key not in self.keys:
            was = "was retired before it" if key in self._public else "no record before it lists"
            return f"it is signed by the key {key}, which {was}"
        if not self._valid(self._public[key], record.hash, record.signature):
            return f"it has no signature of the key {key} that it names"
        self.first = self.first or record.number
        if key in self._trusted:
            self.proven = self.proven or record.number
        elif self.proven:
            return f"it is signed by the key {key}, which no given key has listed"
        if record.action == LISTED:
            if not named:
                return "it lists what is no key"
            self._public[str(listed)] = public
            self.keys = listed_after(self.keys, record)
            if key in self._trusted:
                self._trusted.add(str(listed))
        return ""
