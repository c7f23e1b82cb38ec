"""The rules and the life of a request: pure. Imports neither Slack, HTTP, SQL nor a clock."""
