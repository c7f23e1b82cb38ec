"""The REST client of the vSphere Replication appliance: session, models, errors, trust, budget.

The client knows nothing of the core. `port`, `problems` and `snapshots` do, which turn
it into what requests need, and so do the files of `check`. Nothing here knows another adapter.
"""
