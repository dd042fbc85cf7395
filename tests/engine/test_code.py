"""The coder: instructions for every operation, alike on both sides of the interface."""

import re
from pathlib import Path

import pytest

from gatelab import cells
from gatelab.engine import bound, code
from gatelab.engine.code import Code
from gatelab.engine.program import program_of
from gatelab.engine.split import Wish

HEADER = (Path(code.__file__).parent / "kernel" / "job.h").read_text(encoding="utf-8")


def body(start):
    """Return what stands between the braces of a declaration of the header, without comments."""
    found = re.search(re.escape(start) + r"[^{]*\{(.*?)\n\};", HEADER, re.S)
    assert found
    return re.sub(r"//.*", "", found[1])


def fields(struct):
    """Return the names of a struct's fields, in order."""
    declared = re.findall(r"([^;]+);", body(f"struct {struct} "))
    return [re.findall(r"\w+", name)[-1] for line in declared for name in line.split(",")]


def test_instructions_are_those_of_the_kernel():
    names = re.findall(r"\w+", body("enum Code "))
    assert {name: k for k, name in enumerate(names)} == {c.name: c.value for c in Code}


@pytest.mark.parametrize(
    ("struct", "record"),
    [("Program", bound.ProgramRecord), ("Job", bound.JobRecord), ("Range", bound._Range)],
)
def test_records_are_those_of_the_kernel(struct, record):
    assert fields(struct) == [name for name, _ in record._fields_]


@pytest.mark.parametrize(
    ("array", "struct"),
    [
        ("buffers", "Buffer"), ("operands", "Operand"), ("sources", "Source"), ("matrices", "Matrix"),
        ("targets", "Target"), ("groups", "Group"), ("phases", "Phase"), ("code", "Instruction"),
        ("outers", "Outer"), ("finals", "Final"),
    ],
)  # fmt: skip
def test_rows_of_a_program_are_as_long_as_the_kernel_s(array, struct):
    for backwards in (False, True):
        lstm = cells.get("lstm")
        weights = frozenset(p.name for p in lstm.parameters)
        wish = Wish(
            lstm,
            training=True,
            given=(0,) if backwards else (),
            weights=weights if backwards else frozenset(),
        )
        lengths = {len(row) for row in program_of(wish, backwards).records[array]}
        assert lengths <= {len(fields(struct))}
