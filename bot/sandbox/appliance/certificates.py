"""The TLS identity of the simulated appliance: an authority of its own, and leaves from it."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Sequence
from pathlib import Path

import trustme

LOCAL_NAMES = ("127.0.0.1", "localhost")


class Certificates:
    """The current leaf; the authorities' PEM files stay in `folder`, so an old one can be tried."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0
        self._authority = trustme.CA()
        self.ca_file = ""
        self.fingerprint = ""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._write_authority()
        self.issue()

    def issue(self, *, same_authority: bool = True, names: Sequence[str] = LOCAL_NAMES) -> None:
        """Another leaf for these host names, from the same authority or from a new one."""
        if not same_authority:
            self._authority = trustme.CA()
            self._write_authority()
        leaf = self._authority.issue_cert(*names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
        digest = hashlib.sha256(der).hexdigest().upper()
        self.fingerprint = ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))
        self.context = context

    def _write_authority(self) -> None:
        self._made += 1
        path = self._folder / f"authority-{self._made}.pem"
        self._authority.cert_pem.write_to_path(path)
        self.ca_file = str(path)
