"""The REST client of the vSphere Replication appliance: session, models, errors, TLS, budget.

The client knows nothing of requests but how ids are compared. `port` and `problems` turn it into
what they need. Nothing here knows another adapter.
"""
