"""How each message, form and home tab looks."""
