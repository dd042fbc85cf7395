"""Run as a program of its own: decode a Parquet file into Arrow's plain format, for one that reads on.

A damaged or hostile Parquet file can end the process that decodes it (a page that claims to unpack to more
than there is memory makes the decoder abort), so this is done in a process that may end. It reads nothing of
gatelab. The last line of what it prints is its answer, as JSON.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress


def main(source: str, target: str, most_values: int) -> None:
    """Decode the file ``source`` into ``target``, but no types that are no table, nor too many values."""
    _bound(16 * most_values + 2**26)
    import polars as pl

    try:
        frame = pl.scan_parquet(source, glob=False, hive_partitioning=False)
        schema = frame.collect_schema()
        refused = [f"{name!r} of the type {kind}" for name, kind in schema.items() if not _is_plain(kind)]
        rows = frame.select(pl.len()).collect().item() if schema else 0
        if not refused and rows * len(schema) <= most_values:
            cast = [_cast(index, kind) for index, kind in enumerate(schema.values())]
            frame.select(cast).sink_ipc(target, compression="uncompressed")
        answer = {"names": list(schema), "refused": refused, "rows": rows}
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        answer = {"failed": " ".join(str(error).split())[:160]}
    print(json.dumps(answer))


def _bound(size: int) -> None:
    """Bound what may be written and how long it may take, where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        resource.setrlimit(resource.RLIMIT_CPU, (600, 600))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _is_plain(kind) -> bool:  # type: ignore[no-untyped-def]
    import polars as pl

    known = pl.Boolean, pl.Date, pl.Datetime, pl.String, pl.Categorical, pl.Enum
    return kind.is_numeric() or kind in known


def _cast(index: int, kind):  # type: ignore[no-untyped-def]
    """Return column ``index``, called c0, c1 …, as a number, a time in UTC or a text."""
    import polars as pl

    column = pl.nth(index)
    if kind in (pl.Date, pl.Datetime):
        if getattr(kind, "time_zone", None):
            column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        column = column.cast(pl.Datetime("us"))
    elif kind.is_integer():
        column = column.cast(pl.Int64, strict=False) if kind != pl.UInt64 else column.cast(pl.Float64)
    elif kind.is_numeric() or kind == pl.Boolean:
        column = column.cast(pl.Float64)
    else:
        column = column.cast(pl.String)
    return column.alias(f"c{index}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
