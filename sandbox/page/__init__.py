"""The page of the demo: the two sandbox servers, the real bot, and a face for them in a browser."""

from __future__ import annotations
