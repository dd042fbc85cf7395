"""A cell as data: there and back, and no data can do worse than be refused."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatelab import cell, cells, linear
from gatelab.errors import CellError
from gatelab.graph import Op, check, from_data, to_data

WRAPPED = ["fgr+layer-norm", "gru+recurrent-dropout=0.3+zoneout", "lstm-blocks+blocks=5"]


@pytest.mark.parametrize("name", [*cells.CATALOGUE, *WRAPPED])
def test_there_and_back(name):
    before = cells.get(name)
    data = to_data(before)
    after = from_data(json.loads(json.dumps(data, allow_nan=False)))
    assert after == before
    assert (after.names, after.source, after.summary) == (before.names, before.source, before.summary)
    assert list(after.names) == list(before.names)
    assert after.parameters == before.parameters
    assert [p.weight for p in after.parameters] == [p.weight for p in before.parameters]
    assert to_data(after) == data


def test_an_unused_input_comes_back():
    @cell
    def blind(x, h):
        return linear(h, name="h")

    assert from_data(to_data(blind)).input is blind.input


def refused_or_legal(data):
    said = ""
    try:
        check(from_data(data))
    except CellError as error:
        said = str(error)
    assert len(said) < 1000


NESTED = []
for _ in range(100_000):
    NESTED = [NESTED]
HOSTILE = [
    None,
    True,
    False,
    -1,
    0,
    1,
    2,
    10**400,
    -(10**30),
    1.5,
    -0.0,
    float("nan"),
    float("inf"),
    1e308,
    "",
    "h",
    "x",
    "H",
    "K",
    "1",
    "I",
    "matmul",
    "outer",
    "size",
    "cotangent",
    "sum",
    "spread",
    "identity",
    [],
    [0],
    [[]],
    {},
    {"0": 0},
    NESTED,
    "long " * 10_000,
    list(range(1000)),
    "__class__",
]
SEEDS = [to_data(cells.get(n)) for n in ("lstm", "lstm-blocks+layer-norm", "gru+recurrent-dropout+zoneout")]


def places(value, path=()):
    """Yield the path to every part of nested data."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*path, key))


PLACES = [list(places(seed)) for seed in SEEDS]


def put(data, path, value):
    """Return a copy of the data with something else at a place; without the place where ``value`` is …"""
    if not path:
        return value
    changed = copy.copy(data)
    part = changed
    for key in path[:-1]:
        part[key] = copy.copy(part[key])
        part = part[key]
    if value is ...:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    return changed


@given(st.data())
@settings(max_examples=400, deadline=2000, database=None, derandomize=True)
def test_changed_data_is_refused_or_legal(data):
    which = data.draw(st.integers(0, len(SEEDS) - 1))
    changed = SEEDS[which]
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(PLACES[which]))
        value = data.draw(st.one_of(st.just(...), st.integers(0, 60), st.sampled_from(HOSTILE)))
        try:
            changed = put(changed, path, value)
        except (TypeError, LookupError):
            continue  # the place is gone already
    refused_or_legal(changed)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda v: (
            st.lists(v)
            | st.dictionaries(st.sampled_from(["format", "nodes", "states", "results", "names", "input"]), v)
        ),
    )
)
@settings(max_examples=100, deadline=2000, database=None, derandomize=True)
def test_foreign_data_is_refused(data):
    with pytest.raises(CellError):
        from_data(data)


LSTM = to_data(cells.get("lstm"))
NUMBER = next(k for k, n in enumerate(SEEDS[1]["nodes"]) if n[0] == "const")
MASK = next(k for k, n in enumerate(SEEDS[2]["nodes"]) if n[0] == "mask")
PARAM = next(k for k, n in enumerate(LSTM["nodes"]) if n[0] == "param")


@pytest.mark.parametrize(
    ("seed", "path", "value"),
    [
        (0, ("format",), 2),
        (0, ("block",), True),
        (0, ("block",), 2.0),
        (0, ("input",), -1),
        (0, ("input",), False),
        (0, ("states", 0), -1),
        (0, ("results", 0), True),
        (0, ("names", "i"), -1),
        (0, ("names", "i"), 0),
        (0, ("nodes", -1, 1, 0), True),
        (0, ("nodes", -1, 1, 0), 10**30),
        (0, ("nodes", PARAM, 2, 4), float("nan")),
        (0, ("nodes", PARAM, 2, 4), "0.5"),
        (0, ("nodes", PARAM, 2, 0), "a.b"),
        (0, ("nodes", PARAM, 3), "K"),
        (1, ("nodes", NUMBER, 2), float("nan")),
        (1, ("nodes", NUMBER, 2), float("inf")),
        (1, ("nodes", NUMBER, 2), 10**400),
        (1, ("nodes", NUMBER, 2), True),
        (1, ("nodes", NUMBER, 3), "H"),
        (2, ("nodes", MASK, 2, 2), False),
        (2, ("nodes", MASK, 2, 2), 1.0),
        (2, ("nodes", MASK, 2, 2), float("nan")),
        (0, ("name",), NESTED),
        (0, ("nodes", 0), NESTED),
        (0, ("nodes", 0, 0), NESTED),
        (0, ("format",), NESTED),
        (0, ("block",), NESTED),
        (0, ("nodes",), [["const", [], 1.0, None]] * 100_001),
    ],
    ids=range(29),
)
def test_this_is_refused(seed, path, value):
    with pytest.raises(CellError):
        from_data(put(SEEDS[seed], path, value))


def test_large_data_is_not_read_in_quadratic_time():
    count = 90_000
    nodes = [
        ["input", [], "x", "I"],
        ["state", [], "h", "H"],
        *[["neg", [k + 1], None, None] for k in range(count)],
    ]
    data = {
        "format": 1,
        "name": "long",
        "source": "",
        "summary": "",
        "block": 1,
        "nodes": nodes,
        "input": 0,
        "states": [1],
        "results": [count + 1],
        "names": {f"v{k}": k for k in range(2, count)},
    }
    assert len(from_data(data).nodes) == count + 1


def test_zeros_of_both_signs_are_one_number():
    data = to_data(cells.get("lstm+zoneout=0.1"))
    place = len(data["nodes"])
    data["nodes"].append(["const", [], -0.0, None])
    data["results"][1] = place
    result = from_data(data).results[1]
    assert (result.op, str(result.value)) == (Op.CONST, "0.0")
