"""Slack: what people type and press, and what they are shown. Knows the core, no other part."""
