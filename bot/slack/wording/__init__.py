"""The one catalogue of sentences: for every code of the core, what people read, and the next step.

Everything here returns Slack markup, with whatever others wrote already escaped. Whoever reads it
is woken at three in the morning and holds a phone: short, plain, one next step.
"""
