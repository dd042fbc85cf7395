"""The databases that studies are kept in, SQLite's files and PostgreSQL's servers, and what they raise."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.exceptions import StorageInternalError
from sqlalchemy import NullPool
from sqlalchemy.exc import SQLAlchemyError

from gatelab.errors import ConfigError, RunError
from gatelab.runs.mutex import FileMutex, Mutex, ServerMutex

optuna.logging.set_verbosity(optuna.logging.WARNING)

SESSION = {
    "tcp_keepalives_idle": 30,
    "tcp_keepalives_interval": 10,
    "tcp_keepalives_count": 3,
}
"""How a server is to notice that a machine is gone, in seconds, so that it lets go of the machine's locks."""
CONNECTION = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""How connections are made, so that a server that is gone is noticed: seconds, the last in milliseconds."""

MAGIC = b"SQLite format 3\0"
"""How a database of SQLite begins."""


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
    session = " ".join(f"-c {k}={v}" for k, v in SESSION.items())
    own = url.query.get("options", "")
    asked = {k: v for k, v in CONNECTION.items() if k not in url.query}
    return {"pool_pre_ping": True, "connect_args": {**asked, "options": f"{own} {session}".strip()}}


def shown(url: sqlalchemy.URL) -> str:
    """Return an address as it is shown and given again: without passwords, wherever they stand in it."""
    kept = {k: v for k, v in url.query.items() if k in ("host", "port")}
    plain = url.set(drivername=url.get_backend_name(), query=kept)
    return plain.render_as_string(hide_password=True).replace("%2F", "/")


def opened(url: sqlalchemy.URL, beat: int, grace: int) -> optuna.storages.RDBStorage:
    """Return the database, with its tables; they are made where it has none.

    Parameters
    ----------
    beat, grace
        Seconds between two heartbeats, and seconds without one after which a trial is stale.
    """
    address, options = url.render_as_string(hide_password=False), engine_options(url)
    if url.get_backend_name() == "sqlite":
        _check_file(Path(url.database or ""))
    mutex = mutex_for(url, "/tables")  # optuna looks for tables and makes them, in two steps
    writable = url.get_backend_name() != "sqlite" or os.access(Path(url.database or "").parent, os.W_OK)
    with mutex.held() if writable else nullcontext(), warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        backend = optuna.storages.RDBStorage(address, options, heartbeat_interval=beat, grace_period=grace)
    mutex.close()
    if url.get_backend_name() == "postgresql":
        backend.engine.dispose()  # the connections so far have no zone of ours
        sqlalchemy.event.listen(backend.engine, "connect", _in_universal_time)
    return backend


def _check_file(path: Path) -> None:
    """Refuse what is no database of SQLite, before anything is written beside it."""
    try:
        with path.open("rb") as file:
            head = file.read(len(MAGIC))
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunError(
            f"the storage {path} cannot be used: {(error.strerror or str(error)).lower()}"
        ) from None
    if head not in (b"", MAGIC):
        raise RunError(f"the storage {path} cannot be used: it is not a database of SQLite")


def _in_universal_time(connection: Any, record: Any) -> None:
    """Have all write heartbeats in one zone, as they are kept without; PGTZ would override an option."""
    connection.execute("SET TIME ZONE 'UTC'")
    connection.commit()


def mutex_for(url: sqlalchemy.URL, name: str) -> Mutex:
    """Return the lock of this name; names differ on servers only."""
    if url.get_backend_name() == "sqlite":
        return FileMutex(Path(f"{url.database}.lock"))
    return ServerMutex(sqlalchemy.create_engine(url, poolclass=NullPool, **engine_options(url)), name)


@contextmanager
def database_errors(place: str) -> Iterator[None]:
    """Turn what a database raises into errors that a user can mend; ``place`` is its address."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        cause = error.__cause__ or error
        said = " ".join(str(getattr(cause, "orig", None) or cause).split())[:200]
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
