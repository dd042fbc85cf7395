"""The runner: every peer verified, then all of them timed in turns.

1. For each number of threads, workload and cell: compare each peer's outputs and all gradients with the
   definition in float64; who differs is not timed.
2. Start each peer in a process of its own, so that none profits or suffers from another's memory.
3. In rounds, each peer in turn: one step without the clock, some with it, so that what else the machine
   does falls on all alike.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gatelab.bench.answers import LIMIT
from gatelab.bench.peak import peak
from gatelab.bench.peers import PEERS, Peer
from gatelab.bench.problem import draw
from gatelab.bench.process import Process
from gatelab.bench.record import Result, Row, machine
from gatelab.bench.workload import Workload
from gatelab.cells import get

TURN = 0.02
"""Seconds that a turn should last: one step of a large workload, several of a small one."""
MOST = 20
"""Steps of a turn at most."""
PATIENCE = 3.0
"""Seconds after which a slow peer takes no further turn, if it has had ``FEWEST``."""
FEWEST = 5
PAUSE = 0.002
"""Seconds between two turns, in which the threads of the one that had it fall asleep."""


@dataclass(frozen=True)
class Plan:
    """What is to be measured.

    Attributes
    ----------
    cells
        Names of cells.
    threads
        Numbers of threads; each is a run of its own.
    repeat
        Rounds.
    together
        Whether the turns go round all cells of a workload, in one process, instead of all peers of a cell.
    """

    workloads: Sequence[Workload]
    cells: Sequence[str]
    peers: Sequence[Peer]
    threads: Sequence[int] = (1,)
    repeat: int = 15
    together: bool = False


@dataclass
class Entry:
    """A row with the process that runs its step."""

    row: Row
    process: Process
    count: int = 1
    faults: list[int] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Under which the process knows the step."""
        return f"{self.row.peer} {self.row.cell}"

    @property
    def waits(self) -> bool:
        """Whether it is to have another turn."""
        seconds = self.row.seconds
        return self.row.status == "timed" and (len(seconds) < FEWEST or sum(seconds) < PATIENCE)

    def start(self) -> None:
        """Build the step in its process and warm it up."""
        row = self.row
        started = _ask(row, self.process, "start", key=self.key, peer=row.peer, **_sizes(row))
        warm = _ask(row, self.process, "warm", key=self.key) if started else None
        if started and warm:
            row.engine, row.first, row.memory = started["engine"], started["first"], started["bytes"]
            self.count = max(1, min(MOST, round(TURN / warm["seconds"])))

    def turn(self) -> None:
        """Run some steps with the clock."""
        time.sleep(PAUSE)
        if times := _ask(self.row, self.process, "time", key=self.key, count=self.count):
            self.row.seconds += times["seconds"]
            self.faults += times["faults"]
            self.row.faults = float(statistics.median(self.faults))


def bench(
    plan: Plan,
    told: Callable[[Row], None] = lambda row: None,
    kept: Callable[[Result], None] = lambda result: None,
) -> Result:
    """Measure everything of ``plan``.

    Parameters
    ----------
    told
        Hears of each row that is done.
    kept
        Gets, after each group of rows, all that has been found so far.
    """
    result = Result([], machine(), {str(n): p for n in plan.threads if (p := peak(n))})
    with tempfile.TemporaryDirectory(prefix="gatelab-bench-") as folder:
        for threads in plan.threads:
            with Pool(threads, Path(folder)) as pool:
                for group in _groups(plan, threads):
                    pool.measure(group, plan.repeat, plan.together)
                    for row in group:
                        told(row)
                    result.rows.extend(group)
                    kept(result)
    return result


def _groups(plan: Plan, threads: int) -> Iterator[list[Row]]:
    """Yield the rows that are timed in turns with one another."""
    for workload in plan.workloads:
        groups = [list(_rows(workload, cell, plan.peers, threads)) for cell in plan.cells]
        yield from [[row for group in groups for row in group]] if plan.together else groups


def _rows(workload: Workload, name: str, peers: Sequence[Peer], threads: int) -> Iterator[Row]:
    problem = draw(workload, get(name))
    for peer in peers:
        computes = peer.computes(name)
        if computes is None or (peer.ragged and workload.lengths == "full"):
            continue
        row = Row(
            workload.name, name, peer.name, threads, computes, problem.hidden, problem.rows, problem.flops
        )
        longest = max(max(batch.lengths) for batch in problem.batches)
        if peer.most_steps is not None and longest > peer.most_steps:
            row.status, row.said = "left out", f"tried on at most {peer.most_steps} steps; here are {longest}"
        yield row


class Pool:
    """The measurement of groups of rows with one number of threads.

    Peers are verified in processes that stay, one of each kind.
    """

    def __init__(self, threads: int, folder: Path) -> None:
        self.threads, self.folder = threads, folder
        self.verifiers: dict[str, Process] = {}
        self.stack = ExitStack()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.close()

    def measure(self, rows: Sequence[Row], repeat: int, together: bool) -> None:
        """Verify and time the rows of a group, and fill them."""
        for row in rows:
            if row.status == "timed":
                self._verify(row)
        timed = [row for row in rows if row.status == "timed"]
        for verifier in self.verifiers.values():
            verifier.ask("drop")
        with ExitStack() as stack:
            new = [stack.enter_context(self._process(row)) for row in timed[: 1 if together else None]]
            entries = [Entry(row, new[0 if together else k]) for k, row in enumerate(timed)]
            for process in new:
                process.ask("hello")  # all of them import at once; nothing is timed before they are done
            for entry in entries:
                entry.start()
            for _ in range(repeat):
                for entry in entries:
                    if entry.waits:
                        entry.turn()

    def _process(self, row: Row) -> Process:
        return Process(PEERS[row.peer].process, self.threads)

    def _verify(self, row: Row) -> None:
        path = self.folder / f"{row.workload}-{row.computes}-{row.hidden}.npz"
        if not path.exists():
            truth = self._verifier("plain")
            if _ask(row, truth, "reference", path=str(path), **_sizes(row)) is None:
                return
        verifier = self._verifier(PEERS[row.peer].process)
        found = _ask(row, verifier, "verify", path=str(path), peer=row.peer, **_sizes(row))
        if found is None:
            return
        row.far = found["far"]
        if row.far is None or row.far > LIMIT:
            far = "infinitely far" if row.far is None else f"{row.far:.1e}"
            row.status = "differs"
            row.said = f"{found['tensor']} is {far} from float64, more than {LIMIT:g}"

    def _verifier(self, kind: str) -> Process:
        if kind not in self.verifiers or not self.verifiers[kind].alive:
            self.verifiers[kind] = self.stack.enter_context(Process(kind, self.threads))
        return self.verifiers[kind]


def _ask(row: Row, process: Process, do: str, **arguments: Any) -> dict[str, Any] | None:
    """Return a process's answer; None, and the row says why, where there is none."""
    answer = process.ask(do, **arguments)
    if "missing" in answer:
        row.status, row.said = "missing", answer["missing"]
    elif "failed" in answer:
        row.status, row.said = "failed", answer["failed"]
    else:
        return answer
    return None


def _sizes(row: Row) -> dict[str, Any]:
    return {"workload": row.workload, "cell": row.computes, "hidden": row.hidden}
