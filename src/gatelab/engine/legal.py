"""What every planned pass must obey; checked once a plan, before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterable

from gatelab.engine.plan import Phase, Place, Reading
from gatelab.engine.split import Pass
from gatelab.errors import EngineError


def check(planned: Pass) -> Pass:
    """Return a planned pass, or refuse it.

    1. A place is written by one phase only.
    2. A product reads its vector from memory that no phase from its own on writes at this step.
    3. A value is loaded from a place that is written by an earlier phase, or by none; only what goes from
       step to step may be written again, by the phase that loads it or a later one.
    4. What is read at another step is kept for all steps, or for two.
    5. A place that uses the memory of another has its width and its span, and no phase after the one that
       writes it, no product of a later phase and no gradient reads the other one.

    Raises
    ------
    EngineError
        Where a rule is broken: our own mistake, told with the cell and the place.
    """
    for part in (planned.before, planned.loop, planned.closing, planned.after):
        written = _written(planned, part)
        for number, phase in enumerate(part):
            for target in phase.targets.values():
                for product in target.products:
                    _product(planned, product.vector, written, number)
            for reading in [*phase.loads.values(), *(a for e in phase.entries.values() for a in e.addends)]:
                _load(planned, reading, written, number)
    for place, memory in planned.shares.items():
        if (place.width, place.span) != (memory.width, memory.span):
            _refuse(planned, place, f"shares the memory of {memory.name}, which is of another size")
        if _read_later(planned, memory, _written(planned, planned.loop)[place]):
            _refuse(planned, place, f"shares the memory of {memory.name}, which is read afterwards")
    return planned


def _written(planned: Pass, part: Iterable[Phase]) -> dict[Place, int]:
    written: dict[Place, int] = {}
    for number, phase in enumerate(part):
        for _, place in [*phase.stores, *phase.row_sums]:
            if place in written:
                _refuse(planned, place, "is written twice")
            written[place] = number
    return written


def _product(planned: Pass, vector: Reading, written: dict[Place, int], number: int) -> None:
    if vector.shift:
        _other_step(planned, vector)
    elif written.get(vector.place, -1) >= number:
        _refuse(planned, vector.place, f"is a product's vector in phase {number + 1} before it is written")


def _load(planned: Pass, reading: Reading, written: dict[Place, int], number: int) -> None:
    if reading.shift:
        _other_step(planned, reading)
    elif written.get(reading.place, -1) >= number and not reading.place.name.startswith("carry "):
        _refuse(planned, reading.place, f"is read in phase {number + 1} before it is written")


def _other_step(planned: Pass, reading: Reading) -> None:
    if reading.place.span == "step":
        _refuse(planned, reading.place, "is read at another step, and kept for one only")


def _read_later(planned: Pass, memory: Place, number: int) -> bool:
    """Return whether a place is read at this step once phase ``number`` has written over it."""
    if any(right.place == memory for _, _, right in planned.outers):
        return True
    loaded = (r for phase in planned.loop[number + 1 :] for r in phase.loads.values())
    targets = (t for phase in planned.loop[number:] for t in phase.targets.values())
    vectors = (p.vector for t in targets for p in t.products)
    return any(r.place == memory and r.shift == 0 for r in (*loaded, *vectors))


def _refuse(planned: Pass, place: Place, what: str) -> None:
    raise EngineError(
        f"cell {planned.wish.cell.name!r} has an illegal plan: {place.name} {what}; this is a fault of "
        "gatelab, please report it; engine='reference' runs the cell meanwhile"
    )
