"""The settings of the bot. `load` reads all of them; some commands need only one or two."""

from __future__ import annotations

from bot.settings.defaults import ApplianceSettings, Settings, SettingsError
from bot.settings.load import DEFAULT_SITE, load, load_audit_key, load_database, load_slack_app
from bot.settings.names import site_prefix
from bot.settings.shown import EXAMPLE, shown
from bot.settings.sources import files_seen_by_others, use_env_file

__all__ = [
    "DEFAULT_SITE",
    "EXAMPLE",
    "ApplianceSettings",
    "Settings",
    "SettingsError",
    "files_seen_by_others",
    "load",
    "load_audit_key",
    "load_database",
    "load_slack_app",
    "shown",
    "site_prefix",
    "use_env_file",
]
