"""Slack: what people type and press, and what they see. Knows the request and no other part."""
