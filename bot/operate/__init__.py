"""What an operator sees: logs, health, metrics, tables and exports."""
