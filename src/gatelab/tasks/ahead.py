"""Batches that are made in a thread of their own while the network trains on those before."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")

DEPTH = 3
"""How many batches wait at most."""


def ahead(items: Iterator[T], depth: int = DEPTH) -> Iterator[T]:
    """Yield what an iterator yields, in its order, made up to ``depth`` items ahead in another thread.

    What the iterator raises is raised here, at its place. The thread ends with this generator.

    Examples
    --------
    >>> from gatelab.tasks.ahead import ahead
    >>> list(ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    made: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(depth)
    over = threading.Event()

    def put(item: T | None, error: BaseException | None = None) -> None:
        while not over.is_set():
            try:
                made.put((item, error), timeout=0.1)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put(item)
                if over.is_set():
                    return
        except BaseException as error:
            put(None, error)
        else:
            put(None, StopIteration())

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            item, error = made.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]  # an item comes without an error
    finally:
        over.set()
        thread.join()
