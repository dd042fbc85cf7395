"""A PostgreSQL server of a test's own: a new cluster in a folder, on a socket there, gone with the test."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

USER = "postgres"
"""Whom the server runs as where root runs the tests, whom PostgreSQL refuses; Debian's package has it."""
SETTINGS = {
    "listen_addresses": "",  # no TCP
    "fsync": "off",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "timezone": "America/St_Johns",  # half an hour off everybody: nothing may depend on it
}


def programs() -> Path:
    """Return the folder of PostgreSQL's programs, or skip where there are none."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: nothing is run on PostgreSQL")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    if initdb is None:
        pytest.skip("PostgreSQL's programs are not on this machine (on Debian: apt install postgresql)")
    return Path(initdb).resolve().parent


class Server:
    """A cluster in a folder and the server on it, which may be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.folder = programs(), folder
        self.account = USER if os.geteuid() == 0 else None
        if self.account:
            shutil.chown(folder, self.account)
        self._run("initdb", "-D", folder / "data", "-U", "me", "-A", "trust", "--no-sync")
        self.start()

    @property
    def url(self) -> str:
        """The address of its database."""
        return f"postgresql://me@/postgres?host={self.folder}"

    def empty(self) -> str:
        """Remove all that is in its database, and return the address."""
        said = "SET lock_timeout = '10s'; DROP SCHEMA public CASCADE; CREATE SCHEMA public"
        self._run("psql", "-h", self.folder, "-U", "me", "-v", "ON_ERROR_STOP=1", "-c", said, "postgres")
        return self.url

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        log = self.folder / "log"
        options = " ".join(f"-c {k}='{v}'" for k, v in SETTINGS.items()) + f" -k {self.folder}"
        self._run("pg_ctl", "-D", self.folder / "data", "-l", log, "-o", options, "-w", "start")

    def stop(self, how: str = "fast") -> None:
        """Stop the server: ``fast`` ends all connections, ``immediate`` is a crash."""
        self._run("pg_ctl", "-D", self.folder / "data", "-m", how, "-w", "stop")

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [self.bin / program, *map(str, arguments)],
            user=self.account, group=self.account, extra_groups=[] if self.account else None,
            cwd=self.folder, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
            stdin=subprocess.DEVNULL, errors="replace",
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stderr}"


@contextmanager
def server() -> Iterator[Server]:
    """Run a server inside the block, in a folder with a path short enough for a socket."""
    programs()
    folder = Path(tempfile.mkdtemp(prefix="gatelab-pg-"))
    folder.chmod(0o755)
    try:
        running = Server(folder)
        try:
            yield running
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                running.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
