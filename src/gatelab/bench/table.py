"""Results as tables of words: peers against cells, or cells against the LSTM."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gatelab.bench.peers import PEERS
from gatelab.bench.record import Result, Row
from gatelab.bench.workload import WORKLOADS

OURS = "gatelab"
RELATIVE = "~"
GAP = 3
"""Blanks between two columns, at most."""
FEW = 5
"""Cells whose sizes a title has room for."""
Table = tuple[list[str], list[list[str]]]


def ratio(result: Result, row: Row) -> float | None:
    """Return how many times as long as gatelab a peer takes, both in an environment of the same kind."""
    own = f"{OURS}+malloc" if PEERS[row.peer].process == "malloc" else OURS
    ours = result.time(result.row(row.workload, row.cell, own, row.threads))
    theirs = result.time(row)
    return theirs / ours if ours and theirs else None


def ratios(result: Result) -> list[dict[str, Any]]:
    """Return what a figure shows: for each timed peer, how many times as long as gatelab it takes."""
    found = []
    for row in result.rows:
        times, seconds = ratio(result, row), result.time(row)
        if times and seconds and not row.peer.startswith(OURS):
            found.append(
                {
                    "workload": row.workload,
                    "cell": row.cell,
                    "peer": row.peer,
                    "computes": row.computes,
                    "threads": row.threads,
                    "ratio": round(times, 4),
                    "milliseconds": round(seconds * 1e3, 4),
                }
            )
    return found


def sections(result: Result, width: int) -> Iterator[tuple[str, list[Table]]]:
    """Yield a title and its tables for each workload and number of threads.

    Where gatelab is alone, cells stand against the LSTM; else peers against cells, as many cells in a table
    as ``width`` characters hold.
    """
    alone = {row.peer for row in result.rows} == {OURS}
    for workload, threads in dict.fromkeys((r.workload, r.threads) for r in result.rows):
        cells = list(dict.fromkeys(r.cell for r in result.rows if r.workload == workload))
        if alone:
            tables = [cells_table(result, workload, threads)]
        else:
            tables = list(_fitting(result, workload, threads, cells, width))
        yield _title(result, workload, threads), tables


def _fitting(result: Result, workload: str, threads: int, cells: list[str], width: int) -> Iterator[Table]:
    while cells:
        count = len(cells)
        while count > 1 and _width(peers_table(result, workload, threads, cells[:count])) > width:
            count -= 1
        yield peers_table(result, workload, threads, cells[:count])
        cells = cells[count:]


def _width(table: Table) -> int:
    columns, rows = table
    return sum(max(len(r[k]) for r in (columns, *rows)) + GAP for k in range(len(columns))) - GAP


def _title(result: Result, workload: str, threads: int) -> str:
    about = WORKLOADS[workload]
    hidden = dict.fromkeys((r.cell, r.hidden) for r in result.rows if r.workload == workload)
    sizes = {size for _, size in hidden}
    if len(sizes) == 1:
        units = str(sizes.pop())
    elif len(hidden) <= FEW:
        units = ", ".join(f"{cell} {size}" for cell, size in hidden)
    else:
        units = f"{min(sizes)} to {max(sizes)}"
    steps = f"T={about.steps} × " if about.steps else ""
    count = "1 thread" if threads == 1 else f"{threads} threads"
    return f"{workload}: {about.about}; {steps}B={about.batch} × I={about.inputs} → H={units}; {count}"


def told(row: Row) -> str:
    """Return one line that says what became of a row."""
    times = sorted(row.seconds)
    found = f"{row.status}: {row.said}" if row.said else f"{number(times[len(times) // 2] * 1e3)} ms"
    return f"{row.workload}, {row.threads} thread(s), {row.cell}: {row.peer} {found}"


def peers_table(result: Result, workload: str, threads: int, cells: Sequence[str]) -> Table:
    """Return milliseconds of a step, and in brackets how many times gatelab's: a row a peer, a column a cell.

    Below them what gatelab's own step is: Gflop/s, its share of the machine's peak; and beside torch.nn's,
    page faults, the first step, megabytes at the peak.
    """
    named = [r.peer for r in result.rows if r.workload == workload and r.threads == threads]
    peers = [p for p in PEERS if p in named]
    rows = [[p, *(_entry(result, result.row(workload, c, p, threads)) for c in cells)] for p in peers]
    for name, said in (
        ("Gflop/s", _speed),
        ("of the peak", _share),
        ("page faults", _faults),
        ("first [ms]", _first),
        ("MB", _memory),
    ):
        words = [said(result, workload, c, threads) for c in cells]
        if any(words):
            rows.append([name, *words])
    return ["ms", *cells], rows


def cells_table(result: Result, workload: str, threads: int) -> Table:
    """Return each cell's milliseconds, Gflop/s, and Gflop/s relative to the LSTM's: a row a cell."""
    rows = [r for r in result.rows if (r.workload, r.threads, r.peer) == (workload, threads, OURS)]
    best = result.speed(result.row(workload, "lstm", OURS, threads))
    table = []
    for row in rows:
        speed = result.speed(row)
        if speed is None:
            table.append([row.cell, str(row.hidden), row.status, "", ""])
            continue
        beside = f"{speed / best:.2f}" if best else ""
        table.append(
            [row.cell, str(row.hidden), number(row.flops / speed * 1e3), f"{speed / 1e9:.1f}", beside]
        )
    return ["cell", "H", "ms", "Gflop/s", "of the LSTM's"], table


def remarks(result: Result) -> list[str]:
    """Return what a reader of the tables has to know: what is shown, who is a relative or was not timed."""
    said: dict[str, None] = {}
    if {row.peer for row in result.rows} != {OURS}:
        time = "fastest" if result.fastest else "median"
        said[
            f"ms: a step's {time} time; in brackets, how many times gatelab's (+malloc: gatelab+malloc's)."
        ] = None
        said["Below: gatelab | nn. First: building and the first step. MB: peak memory of steps."] = None
    relatives = dict.fromkeys((r.cell, r.computes) for r in result.rows if r.cell != r.computes)
    if relatives:
        pairs = ", ".join(f"{b} for {a}" for a, b in relatives)
        said[f"{RELATIVE} the peer's nearest relative: {pairs}"] = None
    for row in result.rows:
        if row.status in ("missing", "left out"):
            said[f"{row.peer} ({row.status}): {row.said}"] = None
        elif row.status != "timed":
            said[f"{row.peer} {row.cell} on {row.workload} ({row.status}): {row.said}"] = None
    return list(said)


def number(value: float) -> str:
    """Return a number with three digits that count.

    >>> number(0.4783), number(1.563), number(20.84), number(1089.4)
    ('0.478', '1.56', '20.8', '1089')
    """
    digits = 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f}"


def _entry(result: Result, row: Row | None) -> str:
    if row is None:
        return ""
    seconds = result.time(row)
    if seconds is None:
        return row.status
    times = ratio(result, row)
    mark = RELATIVE if row.computes != row.cell else ""
    own = PEERS[row.peer].name in (OURS, f"{OURS}+malloc")
    return number(seconds * 1e3) + mark + (f" ({times:.2g}×)" if times and not own else "")


def _speed(result: Result, workload: str, cell: str, threads: int) -> str:
    speed = result.speed(result.row(workload, cell, OURS, threads))
    return number(speed / 1e9) if speed else ""


def _share(result: Result, workload: str, cell: str, threads: int) -> str:
    row = result.row(workload, cell, OURS, threads)
    share = result.share(row) if row else None
    return f"{share:.0%}" if share else ""


def _faults(result: Result, workload: str, cell: str, threads: int) -> str:
    return _beside(result, workload, cell, threads, lambda row: row.faults, 1)


def _first(result: Result, workload: str, cell: str, threads: int) -> str:
    return _beside(result, workload, cell, threads, lambda row: row.first, 1e-3)


def _memory(result: Result, workload: str, cell: str, threads: int) -> str:
    return _beside(result, workload, cell, threads, lambda row: row.memory, 1e6)


def _beside(
    result: Result, workload: str, cell: str, threads: int, value: Callable[[Row], float | None], unit: float
) -> str:
    """Return gatelab's value and torch.nn's."""
    rows = [result.row(workload, cell, peer, threads) for peer in (OURS, "nn")]
    values = [value(row) if row else None for row in rows]
    if values[0] is None:
        return ""
    return " | ".join("–" if v is None else f"{v / unit:.0f}" for v in values)
