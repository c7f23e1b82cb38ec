"""What an operator sees: logs, health, tables and exports."""
