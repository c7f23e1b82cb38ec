"""What Slack brings: commands, buttons, forms. Parsed, stored, acknowledged."""
