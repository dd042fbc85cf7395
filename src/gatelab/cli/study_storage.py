"""Where studies are kept, as the command line means it, and how one is opened there."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatelab import settings
from gatelab.errors import RunError

if TYPE_CHECKING:
    from gatelab.runs.store import Store

Name = Annotated[str, typer.Argument(help="The study's name, or its table, NAME.study.json.gz.")]
Storage = Annotated[
    str | None,
    typer.Option(
        "--storage",
        help="A file of SQLite, or postgresql://USER@HOST/DATABASE; studies.db in the runs folder as a rule.",
        show_default=False,
    ),
]


def storage_url(said: str | None) -> str:
    """Return the storage that is meant."""
    return said if said is not None else str(settings.runs_folder() / "studies.db")


def open_store(said: str | None, name: str) -> Store:
    """Return a study's store; the storage must be there.

    Raises
    ------
    RunError
        It is not.
    """
    from gatelab.runs.database import parsed_url
    from gatelab.runs.store import Store

    url = storage_url(said)
    parsed = parsed_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        raise RunError(
            f"no studies are kept in {parsed.database}; gatelab study run begins one, or --storage"
        )
    return Store(url, name)


def rescue_path(said: str | None, name: str) -> Path:
    """Return the file beside which outcomes are kept that the storage will not take."""
    from gatelab.runs.database import parsed_url, shown

    parsed = parsed_url(storage_url(said))
    if parsed.get_backend_name() == "sqlite":
        return Path(f"{parsed.database}.{name}.unsaved.jsonl")
    mark = hashlib.sha256(shown(parsed).encode()).hexdigest()[:8]
    return settings.runs_folder() / f"postgresql-{mark}.{name}.unsaved.jsonl"


def going_on(name: str, said: str | None) -> str:
    """Return the command that goes on with a study."""
    import shlex

    where = "" if said is None else f" --storage {shlex.quote(_without_password(said))}"
    return f"gatelab study resume {name}{where}"


def _without_password(url: str) -> str:
    from gatelab.runs.database import parsed_url, shown

    return shown(parsed_url(url)._replace(password=None)) if "://" in url else url
