"""One process at a time: which trials are taken is changed under a lock that dies with its holder."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError

from gatelab.errors import RunError

PATIENCE = 120.0
"""Seconds to wait for the lock; it is held for milliseconds."""
LOCKED = "55P03"
"""What PostgreSQL answers to who has waited for so long."""


class Mutex(ABC):
    """A lock between processes, which goes with its holder however that ends; not to be taken twice."""

    def __init__(self) -> None:
        self._threads = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock inside the block.

        Raises
        ------
        RunError
            Another process held it for two minutes, or its file cannot be made.
        sqlalchemy.exc.SQLAlchemyError
            The server cannot be reached.
        """
        with self._threads:
            self._take()
            try:
                yield
            finally:
                self._give()

    def close(self) -> None:
        """Let go of what the lock needs; it is made anew where it is taken again."""
        return

    @abstractmethod
    def _take(self) -> None: ...

    @abstractmethod
    def _give(self) -> None: ...


class FileMutex(Mutex):
    """A lock on a file beside the database, for processes of one machine."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._file: int | None = None

    def _take(self) -> None:
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise RunError(
                f"cannot lock {self.path}: {reason}; wanted a folder that can be written"
            ) from None
        until = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EINTR) or time.monotonic() > until:
                    os.close(self._file)
                    raise RunError(
                        f"{self.path} has been locked for {PATIENCE:.0f} s by another process; end it"
                    ) from None
                time.sleep(0.002)

    def _give(self) -> None:
        assert self._file is not None
        os.close(self._file)  # and with it the lock
        self._file = None


class ServerMutex(Mutex):
    """An advisory lock of PostgreSQL, for processes anywhere; it goes with the connection."""

    def __init__(self, engine: sqlalchemy.Engine, name: str) -> None:
        super().__init__()
        self._engine = engine
        self._number = int.from_bytes(
            hashlib.sha256(f"gatelab {name}".encode()).digest()[:8], "big", signed=True
        )
        self._connection: sqlalchemy.Connection | None = None

    def _take(self) -> None:
        known = self._connection is not None
        try:
            self._ask()
        except SQLAlchemyError as error:
            self.close()
            if getattr(getattr(error, "orig", None), "sqlstate", "") == LOCKED:
                raise RunError(
                    f"the study has been locked for {PATIENCE:.0f} s by another process; end it"
                ) from None
            if not known:
                raise
            self._ask()  # the server was begun anew since the lock was last held

    def _ask(self) -> None:
        if self._connection is None:
            options = self._engine.execution_options(isolation_level="AUTOCOMMIT")
            self._connection = options.connect()
            self._connection.execute(sqlalchemy.text(f"SET lock_timeout = '{PATIENCE:.0f}s'"))
        self._connection.execute(sqlalchemy.text("SELECT pg_advisory_lock(:n)"), {"n": self._number})

    def _give(self) -> None:
        if self._connection is None:
            return
        try:
            self._connection.execute(sqlalchemy.text("SELECT pg_advisory_unlock(:n)"), {"n": self._number})
        except SQLAlchemyError:
            self.close()  # the server has dropped the lock with the connection

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            with suppress(SQLAlchemyError):
                self._connection.invalidate()
                self._connection.close()
            self._connection = None
