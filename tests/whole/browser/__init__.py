"""The page of the demo, driven in a real browser against the real bot."""

from __future__ import annotations
