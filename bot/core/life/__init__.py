"""The life of a request in two pure functions: `plan` names the next effect, and `absorb` turns an
event into the request's next state."""

from __future__ import annotations

from bot.core.life.absorb import absorb
from bot.core.life.asking import begin
from bot.core.life.dismissing import dismissal
from bot.core.life.next_effect import plan

__all__ = ["absorb", "begin", "dismissal", "plan"]
