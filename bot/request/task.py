"""A task of the appliance, as far as a request follows it."""

from __future__ import annotations

from bot.request import Frozen

TASK_FINAL = frozenset({"SUCCESS", "ERROR", "CANCELLED"})
"""The three statuses that end a task (vendor OpenAPI, Task). An unknown one is not an end."""


class TaskView(Frozen):
    """A task as the appliance tells it (vendor OpenAPI, Task); `progress` is 0 to 100."""

    id: str
    status: str
    progress: int | None = None
    entity: str | None = None
    description: str | None = None
    error_message: str | None = None
    error_details: str | None = None

    @property
    def ended(self) -> bool:
        return self.status in TASK_FINAL
