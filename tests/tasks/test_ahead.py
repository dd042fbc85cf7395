"""Batches made ahead: the same, in the same order, and the thread ends with its reader."""

import threading
import time

import pytest

from gatelab.tasks.ahead import ahead


def _threads():
    return sum(t.is_alive() and t is not threading.current_thread() for t in threading.enumerate())


def test_the_same_in_the_same_order():
    assert list(ahead(iter(range(1000)))) == list(range(1000))
    assert list(ahead(iter([]))) == []


def test_is_made_ahead_but_not_far():
    made = []

    def items():
        for k in range(20):
            made.append(k)
            yield k

    reader = ahead(items(), depth=2)
    next(reader)
    until = time.monotonic() + 5
    while len(made) < 4 and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(made) == 4  # one read, two waiting, one that waits for room
    reader.close()


def test_an_error_comes_at_its_place():
    def items():
        yield 1
        raise ValueError("broken file")

    reader = ahead(items())
    assert next(reader) == 1
    with pytest.raises(ValueError, match="broken file"):
        next(reader)


def test_the_thread_ends_with_its_reader():
    before = _threads()
    for item in ahead(iter(range(10**9))):
        if item == 5:
            break
    reader = ahead(iter(range(10**9)))
    next(reader)
    reader.close()
    assert _threads() == before
