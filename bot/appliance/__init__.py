"""The REST client of the vSphere Replication appliance: session, models, errors, trust, budget.

The client knows nothing of the core: `port`, `lookups`, `problems` and `snapshots` do, which make
of it what requests need, and the files of `check`. Nothing here knows another adapter.
"""
