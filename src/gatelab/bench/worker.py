"""A process that holds prepared steps and times them when told to.

``python -m gatelab.bench.worker THREADS PIN`` reads one JSON object a line and answers with one. Each kind
of process needs an environment of its own (threads, malloc), which a running process cannot change.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gatelab.bench import answers
from gatelab.bench.peers import PEERS, Step
from gatelab.bench.problem import Problem, draw
from gatelab.bench.workload import WORKLOADS
from gatelab.cells import get

ENOUGH = 0.3
"""Seconds of warm-up of a step, beside the three that its start runs."""

PRIMERS = ("relu", "tanh", "gru-after", "lstm-np")
"""Cells with which a process is made ready for another one."""


class Worker:
    """Steps by key; every method is a command and returns what JSON can hold."""

    def __init__(self) -> None:
        self.steps: dict[str, Step] = {}

    def hello(self) -> dict[str, Any]:
        """Say that imports are done."""
        return {}

    def reference(self, path: str, workload: str, cell: str, hidden: int) -> dict[str, Any]:
        """Write what the definition gives in float64."""
        import torch

        from gatelab.bench.peers.ours import make

        step = make(self.problem(workload, cell, hidden), "reference", torch.float64)
        answers.write(Path(path), step.answers())
        return {}

    def verify(self, path: str, peer: str, workload: str, cell: str, hidden: int) -> dict[str, Any]:
        """Return how far a peer's answers are from those in ``path``, and in which tensor."""
        try:
            step = PEERS[peer].make(self.problem(workload, cell, hidden))
        except ImportError as error:
            return {"missing": str(error)}
        far, tensor = answers.distance(step.answers(), answers.read(Path(path)))
        return {"far": far if far < float("inf") else None, "tensor": tensor}

    def start(self, key: str, peer: str, workload: str, cell: str, hidden: int) -> dict[str, Any]:
        """Build a step; return its engine, the seconds of building and the first run, and bytes of memory.

        What libraries need once is done before, by a step of another cell. Memory is the most that three
        steps needed beyond what there was before the first.
        """
        others = [c for c in PRIMERS if c != cell and PEERS[peer].computes(c) == c]
        if others:
            PEERS[peer].make(self.problem("W5", others[0], 8))()
        problem = self.problem(workload, cell, hidden)
        gc.collect()
        began = time.perf_counter()
        step = self.steps[key] = PEERS[peer].make(problem)
        built = time.perf_counter() - began
        before = _begin_peak()
        began = time.perf_counter()
        step()
        first = built + time.perf_counter() - began
        for _ in range(2):
            step()
        memory = None if before is None else _status("VmHWM") - before
        return {"engine": step.engine, "first": first, "bytes": memory}

    def warm(self, key: str) -> dict[str, Any]:
        """Run a step until it is warm; returns the seconds of the last run."""
        began, last = time.perf_counter(), 0.0
        while not last or time.perf_counter() - began < ENOUGH:
            start = time.perf_counter()
            self.steps[key]()
            last = time.perf_counter() - start
        return {"seconds": last}

    def time(self, key: str, count: int) -> dict[str, Any]:
        """Run a step once, then ``count`` times with the clock; returns seconds and page faults of each."""
        step = self.steps[key]
        gc.collect()
        gc.disable()
        step()  # another process may have run in between
        seconds, faults = [], []
        for _ in range(count):
            before, start = _faults(), time.perf_counter()
            step()
            seconds.append(time.perf_counter() - start)
            faults.append(_faults() - before)
        gc.enable()
        return {"seconds": seconds, "faults": faults}

    def drop(self) -> dict[str, Any]:
        """Forget all steps."""
        self.steps.clear()
        gc.collect()
        return {}

    @staticmethod
    def problem(workload: str, cell: str, hidden: int) -> Problem:
        """Return the problem, the same in all processes."""
        return draw(WORKLOADS[workload], get(cell), hidden)


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _begin_peak() -> int | None:
    """Let the count of peak memory begin anew; return what there is now, or None where nothing tells it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return _status("VmRSS")


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))


def answer(commands: Mapping[str, Callable[..., dict[str, Any]]], line: str) -> str:
    """Carry out one command, given and answered as JSON; an exception is an answer, too."""
    asked = json.loads(line)
    try:
        return json.dumps(commands[asked.pop("do")](**asked))
    except Exception as error:
        said = " ".join(str(error).split())[:300]
        return json.dumps({"failed": f"{type(error).__name__}: {said}"})


def main(threads: int, pin: bool) -> None:
    """Answer commands from standard input until it ends."""
    if pin:  # the only way to tell XLA's pool how many threads it has
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    else:
        import torch

        torch.set_num_threads(threads)
    warnings.simplefilter("ignore")
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    worker = Worker()
    names = ("hello", "reference", "verify", "start", "warm", "time", "drop")
    commands = {name: getattr(worker, name) for name in names}
    for line in sys.stdin:
        print(answer(commands, line), file=replies, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] == "pin")
