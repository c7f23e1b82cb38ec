"""The settings of the bot. `load` reads all of them; some commands need only one or two."""

from __future__ import annotations

from pathlib import Path

from bot.settings.appliance import ApplianceSettings
from bot.settings.durations import DurationMs, parse_duration
from bot.settings.loading import DEFAULT_SITE, load, load_database, load_slack_app
from bot.settings.model import Mode, Settings
from bot.settings.names import secret_names, setting_names
from bot.settings.problems import Problem, SettingsError
from bot.settings.several import site_prefix

EXAMPLE = Path(__file__).with_name("example.env")
"""What `.env.example` holds: every setting, its meaning and its default."""

__all__ = [
    "DEFAULT_SITE",
    "EXAMPLE",
    "ApplianceSettings",
    "DurationMs",
    "Mode",
    "Problem",
    "Settings",
    "SettingsError",
    "load",
    "load_database",
    "load_slack_app",
    "parse_duration",
    "secret_names",
    "setting_names",
    "site_prefix",
]
