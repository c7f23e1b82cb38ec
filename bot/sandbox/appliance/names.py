"""Names, numbers and ids of the simulated estate, the same for the same seed."""

from __future__ import annotations

import random
import uuid

_NAMESPACE = uuid.UUID("6d0a3c5e-54c1-4d3b-9d4e-2f0a7c1b9e55")

_WORKLOADS = (
    "erp-db",
    "erp-app",
    "crm-web",
    "mail-mx",
    "file-srv",
    "billing-db",
    "hr-portal",
    "git-runner",
    "dns-int",
    "wiki-app",
)

RPO_MINUTES = (5, 15, 60, 240)


def stable_uuid(seed: int, *parts: str) -> str:
    """A UUID (text, lower case) that depends on nothing but its arguments."""
    return str(uuid.uuid5(_NAMESPACE, "/".join((str(seed), *parts))))


def vm_name(index: int) -> str:
    """`erp-db-01`, `erp-app-01`, ... then `erp-db-02`: never the same name for two indexes."""
    return f"{_WORKLOADS[index % len(_WORKLOADS)]}-{index // len(_WORKLOADS) + 1:02d}"


def vcenter_name(site: str) -> str:
    return f"vcenter-{site}.example.net"


def vrms_name(site: str) -> str:
    return f"vr-{site}.example.net"


def dice(seed: int, *parts: str) -> random.Random:
    """A source of numbers of its own for each thing, so that adding one thing moves no other."""
    return random.Random("/".join((str(seed), *parts)))  # noqa: S311 - made-up names, no secrets
