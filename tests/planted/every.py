"""All planted changes."""

from __future__ import annotations

from tests.planted.life import LIFE
from tests.planted.outside import APPLIANCE, SLACK
from tests.planted.rules import RULES, SETTINGS
from tests.planted.store import STORE

CHANGES = (*LIFE, *STORE, *APPLIANCE, *SLACK, *RULES, *SETTINGS)
