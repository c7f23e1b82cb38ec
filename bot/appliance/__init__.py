"""A vSphere Replication appliance: `appliance` has the effects of requests, `calls` what they ask.

Below it are the sessions, the budget of calls, HTTP, and how the appliance proves who it is.
Nothing here knows another adapter.
"""
