"""The door: what Slack sends becomes one stored event, or a sentence."""
