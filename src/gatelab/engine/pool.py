"""Memory that is used again from call to call, so that no step waits for fresh pages.

A call leases what it needs and gives it back when it is done, or when the graph that holds it is freed. Two
calls never share a lease. What lies ready is bounded by what was in use at once.
"""

from __future__ import annotations

import ctypes
import math
import sys
import threading
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from gatelab.errors import EngineError

SMALL = 1 << 16  # bytes: below, torch's own allocator is as good
LARGE = 1 << 21  # bytes of a large page
MADV_HUGEPAGE = 14
SLACK = 1 << 24  # bytes that may lie ready beyond the most that was in use at once


class Lease:
    """Memory of a pool; given back by :meth:`release` or when nothing refers to it any more."""

    def __init__(self, pool: Pool, size: int, block: Tensor) -> None:
        self.pool, self.size, self.address = pool, size, block.data_ptr()
        self.block: Tensor | None = block

    def release(self) -> None:
        """Give the memory back; what it held must not be read any more."""
        block, self.block = self.block, None
        if block is not None:
            self.pool.take_back(self.size, block)

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        if not ending():  # then modules are gone, and with them all memory
            self.release()


class Pool:
    """Blocks of memory for whoever asks, from any thread.

    Attributes
    ----------
    leased, most, ready
        Bytes in use, the most that ever was, and bytes that lie ready.
    fill
        Is written into every lease as float32 numbers, in tests of what is read before it is written.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()  # a lease may be freed by the collector inside our own methods
        self.free: list[tuple[int, Tensor]] = []  # size in bytes and memory, the longest unused first
        self.leased = self.most = self.ready = 0
        self.fill: float | None = None

    def lease(self, size: int) -> Lease:
        """Return at least ``size`` bytes, the first on a boundary of 64."""
        size = _rounded(size)
        limit = max(8 * size, 1 << 20)
        with self.lock:
            best, least = -1, limit + 1
            for k, (free, _) in enumerate(self.free):
                if size <= free < least:
                    best, least = k, free
            found = self.free.pop(best) if best >= 0 else None
            if found is not None:
                self.ready -= found[0]
        size, block = found or (size, _allocated(size))
        with self.lock:
            self.leased += size
            self.most = max(self.most, self.leased)
            self._trim()
        if self.fill is not None:
            block.view(torch.float32).fill_(self.fill)
        return Lease(self, size, block)

    def tensor(self, shape: Sequence[int], like: Tensor) -> Tensor:
        """Return a tensor with the type of ``like`` whose memory comes back when torch frees it."""
        count = math.prod(shape)
        if count * like.element_size() < SMALL and like.is_floating_point():
            made = torch.empty(shape, dtype=like.dtype, device="cpu")
            return made if self.fill is None else made.fill_(self.fill)
        lease = self.lease(count * like.element_size())
        memory = (ctypes.c_char * (count * like.element_size())).from_address(lease.address)
        memory.lease = lease  # type: ignore[attr-defined]  # lives as long as the tensor's storage
        return torch.frombuffer(memory, dtype=like.dtype, count=count).view(tuple(shape))

    def take_back(self, size: int, block: Tensor) -> None:
        """Let a block be leased again."""
        with self.lock:
            self.leased -= size
            self.ready += size
            self.free.append((size, block))
            self._trim()

    def clear(self) -> None:
        """Return what lies ready to the system."""
        with self.lock:
            self.free.clear()
            self.most, self.ready = self.leased, 0

    def _trim(self) -> None:
        while self.free and self.leased + self.ready > self.most + SLACK:
            self.ready -= self.free.pop(0)[0]


def _rounded(size: int) -> int:
    """Round up to one of eight sizes an octave, so that batches of similar lengths share blocks."""
    step = max(64, 1 << max(0, size.bit_length() - 4))
    return max(step, -(-size // step) * step)


def _allocated(size: int) -> Tensor:
    try:
        block = torch.empty(size, dtype=torch.uint8, device="cpu")
    except RuntimeError as error:
        raise EngineError(
            f"out of memory: wanted {size / 2**20:,.0f} MiB for one pass; try shorter sequences, a smaller "
            f"batch or fewer units ({str(error).splitlines()[0]})"
        ) from None
    _advise_large_pages(block.data_ptr(), size)
    return block


def _advise_large_pages(address: int, size: int) -> None:
    """Ask Linux for pages of 2 MiB, so that far fewer are to be found; it may refuse."""
    first, last = -(-address // LARGE) * LARGE, (address + size) // LARGE * LARGE
    if sys.platform == "linux" and last > first:
        ctypes.CDLL(None).madvise(ctypes.c_void_p(first), ctypes.c_size_t(last - first), MADV_HUGEPAGE)


POOL = Pool()
"""The pool of this process."""
