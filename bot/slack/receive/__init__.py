"""Slack: what people type and press, and what they see. Knows the core and no other part."""
