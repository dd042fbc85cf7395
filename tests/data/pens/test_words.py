"""Words of points as plain text, and everything that must not pass the border."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from damage import Change, assert_one_line, mutated, mutations
from gatelab.data.pens.words import read_pen_word
from gatelab.data.tree import Tree
from gatelab.errors import DataError

WORD = b"order\n412 236 0\n413 239 1\n-7 0.5 0\n8 9 1\n"
NAME = "300/1427036394944_order.txt"


def test_reads_a_word() -> None:
    word, stood = read_pen_word(WORD, NAME, "f")
    assert stood
    assert (word.id, word.group, word.text) == ("300/1427036394944_order", "300", "order")
    assert word.points.tolist() == [[412, 236], [413, 239], [-7, 0.5], [8, 9]]
    assert word.lifted.tolist() == [False, True, False, True]
    assert word.times is None


@pytest.mark.parametrize(
    "data", [WORD[:-1], WORD.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + WORD], ids=["no end", "CRLF", "BOM"]
)
def test_reads_what_other_editors_write(data: bytes) -> None:
    first, second = read_pen_word(WORD, NAME, "f")[0], read_pen_word(data, NAME, "f")[0]
    assert second.text == first.text
    assert np.array_equal(second.points, first.points)


def test_a_word_without_line_1_comes_from_the_name() -> None:
    word, stood = read_pen_word(WORD[6:], "300/1_two_words.txt", "f")
    assert not stood
    assert word.text == "two_words"
    assert len(word.points) == 4


def test_a_word_may_be_a_number_or_hold_spaces() -> None:
    assert read_pen_word(b"270\n1 2 1\n", NAME, "f")[0].text == "270"
    assert read_pen_word("né à\n1 2 1\n".encode(), NAME, "f")[0].text == "né à"


BAD: dict[str, bytes] = {
    "line 1: wanted the word that was written, came an empty line": b"\n1 2 1\n",
    "line 2: wanted points, came the end": b"order\n",
    "line 3: wanted x, y and pen, came '';": b"order\n1 2 0\n\n",
    "line 3: wanted x, y and pen, came '1 2';": b"order\n1 2 0\n1 2\n",
    "line 2: wanted x, y and pen, came '1 2 0 4';": b"order\n1 2 0 4\n",
    "line 2: wanted x, y and pen, came 'nan';": b"order\nnan 2 0\n",
    "came '1e999';": b"order\n1 1e999 1\n",
    "came '9999999999999';": b"order\n1 9999999999999 1\n",
    "line 3: wanted x, y and pen, came the pen '2'; try 1": b"order\n1 2 0\n1 2 2\n",
    "came the pen '';": b"order\n1 2 \n",
    "line 3: wanted pen 1 at the last point, came 0: the file is truncated": b"order\n1 2 1\n1 2 0\n",
    "line 2: not UTF-8": b"order\n1 \xff 1\n",
}


@pytest.mark.parametrize("message", BAD)
def test_refuses(message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_pen_word(BAD[message], NAME, "bad.txt")
    text = str(caught.value)
    assert text.startswith("bad.txt, line ")
    assert "try" in text
    assert "\n" not in text
    assert len(text) < 200


def test_refuses_a_name_without_a_word() -> None:
    with pytest.raises(DataError, match=r"the file's name holds no word; try a name like 1_word.txt"):
        read_pen_word(b"1 2 1\n", "300/1427.txt", "f")


# Fuzz: whatever happens to a real file, it is a word or a DataError.


@cache
def real_files() -> list[tuple[str, bytes]]:
    path = Path(os.environ.get("GATELAB_DATA", "nowhere"), "gw_online_handwriting", "gw-online-dataset.zip")
    if not path.is_file():
        pytest.skip("GATELAB_DATA holds no gw_online_handwriting: real words are not on this machine")
    tree = Tree(path)
    names = tree.names(".txt")
    lacking = [n for n in names if "1427036394944" in n or "1427036584309" in n]
    return [(name, tree.read(name)) for name in [*lacking, *names[::150]]]


CHANGES = mutations(3000, words=[b" ", b"\n", b"1", b"-", b".", b"nan", b"\r"])


def damage(place: int, changes: list[Change]) -> None:
    name, data = real_files()[place % len(real_files())]
    data = mutated(data, changes)
    try:
        word, _ = read_pen_word(data, name, "fuzz")
    except DataError as error:
        assert_one_line(error)
    else:
        assert word.text
        assert len(word.points) == len(word.lifted) > 0
        assert word.lifted[-1]
        assert np.isfinite(word.points).all()


@settings(max_examples=1500, deadline=None)
@given(st.integers(0, 100), CHANGES)
def test_a_damaged_file_is_a_word_or_a_data_error(place: int, changes: list[Change]) -> None:
    damage(place, changes)


@pytest.mark.exhaustive
@settings(max_examples=30_000, deadline=None)
@given(st.integers(0, 100), CHANGES)
def test_many_damaged_files(place: int, changes: list[Change]) -> None:
    damage(place, changes)
