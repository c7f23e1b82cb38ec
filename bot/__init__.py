"""A Slack bot that breaks vSphere Replication pairings after other people have approved it.

The version stands here and nowhere else: packaging reads it from this line without importing
anything, and the running program compares it with what the database asks for.
"""

from __future__ import annotations

__version__ = "0.1.0"
