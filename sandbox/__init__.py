"""Local stand-ins for the outside world: a simulated appliance and a local Slack."""
