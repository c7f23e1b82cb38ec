"""What the commands share: opening the database, the option `--json`, and ending with an error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from bot import __version__
from bot.cli_output import for_machines
from bot.exit_codes import PROBLEM
from bot.settings import load_database
from bot.store.database import Database
from bot.store.migrate import SchemaMissing, SchemaTooNew, require


def _json_asked(asked: bool) -> bool:
    if asked:
        for_machines()
    return asked


JsonOption = Annotated[
    bool, typer.Option("--json", callback=_json_asked, help="JSON instead of a table.")
]


@contextmanager
def database() -> Iterator[Database]:
    """The database, for commands that only read or store an event. Ends the command if the schema
    is not there yet."""
    db = Database(load_database())
    try:
        require(db)
        yield db
    except (SchemaMissing, SchemaTooNew) as error:
        fail(str(error))
    except ValidationError:
        fail(
            f"What is stored cannot be read by this version of vr-unpair ({__version__}): a newer "
            "one has written it. Install that or a later one."
        )
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or type(error).__name__
        fail(f"The database cannot be used: {reason}. DATABASE_URL names it.")
    finally:
        db.close()


def fail(sentence: str, code: int = PROBLEM) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(code)
