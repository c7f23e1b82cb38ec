"""The store: requests, inbox, messages, audit trail and what replicas share (SQLAlchemy Core)."""
