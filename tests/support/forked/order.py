"""What is to be forked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    """`python -m MODULE ARGUMENTS`, and where."""

    module: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    folder: str
