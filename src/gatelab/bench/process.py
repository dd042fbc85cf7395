"""The parent's side of a worker: start it with its environment, ask it, survive its death."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

KEPT = "glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=8589934592"
"""With this, glibc gives freed memory back to no one: large tensors stop costing page faults."""

ENVIRONMENTS: Mapping[str, Mapping[str, str]] = {
    "plain": {},
    "malloc": {"GLIBC_TUNABLES": KEPT},
    "jax": {"JAX_PLATFORMS": "cpu"},
}


class Process:
    """One worker process; use it in a ``with`` block."""

    def __init__(self, kind: str, threads: int) -> None:
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), **ENVIRONMENTS[kind]}
        pin = "pin" if kind == "jax" else "free"
        self.child = subprocess.Popen(
            [sys.executable, "-m", "gatelab.bench.worker", str(threads), pin],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=environment,
        )

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Return a command's answer; ``{"failed": reason}`` where it raised or the process died."""
        assert self.child.stdin
        assert self.child.stdout
        try:
            print(json.dumps({"do": do, **arguments}), file=self.child.stdin, flush=True)
            line = self.child.stdout.readline()
        except BrokenPipeError:
            line = ""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        return {"failed": f"its process ended with code {self.child.wait()}: {self._last_words()}"}

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self.child.poll() is None

    def _last_words(self) -> str:
        self.log.seek(0)
        lines = self.log.read().strip().splitlines()
        return lines[-1][:300] if lines else "no message"

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.kill()
        self.child.wait()
        for stream in (self.child.stdin, self.child.stdout, self.log):
            if stream:
                with suppress(BrokenPipeError):  # what could not be said to a dead process
                    stream.close()
