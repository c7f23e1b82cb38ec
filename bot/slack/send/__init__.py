"""What goes to Slack: messages with their second tries, and answers to one person."""
