"""The databases that studies are kept in, SQLite's files and PostgreSQL's servers, and what they raise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from gatelab.errors import ConfigError, RunError
from gatelab.runs.mutex import FileMutex, Mutex, ServerMutex

optuna.logging.set_verbosity(optuna.logging.WARNING)


def parsed_url(url: str) -> sqlalchemy.URL:
    """Return a storage's address; a plain path is a file of SQLite.

    Raises
    ------
    ConfigError
        It is none, or of a database that gatelab does not use.
    """
    if "://" not in url:
        return sqlalchemy.URL.create("sqlite", database=str(Path(url).absolute()))
    try:
        parsed = sqlalchemy.make_url(url)
    except SQLAlchemyError:
        raise ConfigError(
            "storage: wanted a path or postgresql://USER@HOST/DATABASE, got no such address"
        ) from None
    kind = parsed.get_backend_name()
    if kind == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise ConfigError(
            f"storage: wanted a file (a path or sqlite:///PATH) or postgresql://USER@HOST/DATABASE, got {kind}://"
        )
    return parsed


def engine_options(url: sqlalchemy.URL) -> dict[str, Any]:
    """Return how a database is connected to; the folder of a file is made."""
    if url.get_backend_name() == "sqlite":
        assert url.database is not None
        folder = Path(url.database).absolute().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"cannot make {folder}: {(error.strerror or str(error)).lower()}") from None
        return {"connect_args": {"timeout": 60}}
    return {"pool_pre_ping": True, "connect_args": {"connect_timeout": 10}}


def mutex_for(url: sqlalchemy.URL, engine: sqlalchemy.Engine, name: str) -> Mutex:
    """Return the lock of a study."""
    if url.get_backend_name() == "sqlite":
        return FileMutex(Path(f"{url.database}.lock"))
    return ServerMutex(engine, name)


@contextmanager
def database_errors(place: str) -> Iterator[None]:
    """Turn what a database raises into errors that a user can mend; ``place`` is its address."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        said = " ".join(str(error.__cause__ or error).split())[:200]
        raise RunError(f"the storage {place} cannot be used: {said}") from error
    except ImportError as error:
        raise ConfigError(
            f"the storage {place} needs a driver that is not installed ({error}); for PostgreSQL: "
            "pip install 'gatelab[postgresql]'"
        ) from error
    except RuntimeError as error:
        if "version" not in str(error):
            raise
        raise RunError(
            f"the storage {place} is of another version of optuna than the installed {optuna.__version__}: "
            "use that version, or `optuna storage upgrade`"
        ) from error
