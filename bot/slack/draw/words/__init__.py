"""The one catalogue of sentences: what people read for every code of the core, and the next step.

Everything here returns Slack markup in which text by others is escaped already. It must make sense
to somebody who is woken at three in the morning and reads it on a phone: short, plain, one next
step.
"""
