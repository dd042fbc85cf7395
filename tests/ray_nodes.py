"""Nodes of a cluster of Ray, all on this machine, each a process of a test's own with what it begins."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from victims import children, command

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_IMPORT_WARNING": "1", "RAY_DEDUP_LOGS": "0"}
STORE = 100_000_000
"""Bytes of memory that a node keeps objects in."""


class Node:
    """A node with one processor; the head where no address is given."""

    def __init__(self, folder, name, address=""):
        self.log = Path(folder) / f"{name}.log"
        where = ["--address", address] if address else []
        if not address:
            address = f"127.0.0.1:{free_port()}"
            where = ["--head", "--port", address.rpartition(":")[2], "--temp-dir", folder]
            where += ["--include-dashboard=false", "--disable-usage-stats"]
        self.address = address
        said = ["start", *where, "--num-cpus", "1", "--object-store-memory", str(STORE), "--block"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ray.scripts.scripts", *said],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=os.environ | QUIET,
            )  # fmt: skip

    def wait(self):
        until = time.monotonic() + 90
        while "Ray runtime started" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.1)

    def processes(self):
        """Return what the node has begun, and what that has."""
        found, new = [], [self.process.pid]
        while new:
            new = [c for p in new for c in children(p)]
            found += new
        return found

    def workers(self):
        """Return the processes that train, or could."""
        return [p for p in self.processes() if command(p).startswith(("ray::gatelab", "ray::IDLE"))]

    def kill(self):
        """Kill everything at once."""
        for process in [self.process.pid, *self.processes()]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait()


@contextmanager
def cluster(count=2):
    """Run so many nodes inside the block, the head first."""
    folder = tempfile.mkdtemp(prefix="gl-ray-", dir="/tmp")  # sockets want a short path
    nodes = [Node(folder, "head")]
    try:
        nodes[0].wait()
        nodes += [Node(folder, f"node{i}", nodes[0].address) for i in range(1, count)]
        for node in nodes:
            node.wait()
        yield nodes
    finally:
        for node in reversed(nodes):
            node.kill()
        shutil.rmtree(folder, ignore_errors=True)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
