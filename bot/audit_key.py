"""The key that signs the audit trail: Ed25519, in PEM, outside of the database.

`cryptography` is imported where a key is used, and nowhere else: it takes 8 MB.
"""

from __future__ import annotations

import base64
import binascii
import errno
import os
import stat
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from bot.request.audit_signatures import key_id

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )


@dataclass(frozen=True)
class AuditKey:
    """`public` is its public half in PEM, `id` what the records name it by."""

    id: str
    public: str
    _private: Ed25519PrivateKey = field(repr=False)

    def sign(self, digest: str) -> str:
        """The signature of a record's hash, as base64."""
        return base64.b64encode(self._private.sign(digest.encode())).decode()


def audit_key(pem: str) -> AuditKey:
    """Raises ValueError, with the rest of a sentence, for what is no such key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):  # TypeError: it is encrypted
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError(
            "holds no Ed25519 private key in PEM without a passphrase: make one with "
            "`vr-unpair audit new-key FILE`"
        )
    return _of(private)


def _of(private: Ed25519PrivateKey) -> AuditKey:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = public.decode()
    return AuditKey(key_id(text) or "", text, private)


def read_key_file(path: Path) -> str:
    """The PEM in it. Raises ValueError, with the rest of a sentence."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not PEM"
        raise ValueError(f"names a file that cannot be read ({why})") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ValueError("names a file that others may read or write: give it mode 0600")
    return text


def new_key(path: Path) -> AuditKey:
    """Makes `path`, which its owner alone may read, and `path`.pub beside it. Raises OSError, also
    where one of the two is there already."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    made = _of(private)
    public = path.with_name(f"{path.name}.pub")
    if there := next((file for file in (path, public) if file.exists()), None):
        raise FileExistsError(errno.EEXIST, "File exists", str(there))
    for file, text, mode in ((path, pem, 0o600), (public, made.public.encode(), 0o644)):
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as to:
            to.write(text)
    return made


def valid(public: str, digest: str, signature: str) -> bool:
    """See `bot.request.audit_signatures.Valid`."""
    from cryptography.exceptions import InvalidSignature

    try:
        raw = base64.b64decode(signature, validate=True)
        if base64.b64encode(raw).decode() != signature:  # one signature has one form
            return False
        _public(public).verify(raw, digest.encode())
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True


@lru_cache(8)
def _public(pem: str) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    der = base64.b64decode("".join(pem.split()[3:-3]))
    return Ed25519PublicKey.from_public_bytes(der[-32:])
