"""Symbols and ids, and everything that a hand may have done to a vocabulary's file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from damage import assert_one_line, assert_refusal
from gatelab.data.text.vocabulary import Vocabulary, build_vocabulary
from gatelab.errors import ConfigError, DataError

LETTERS = Vocabulary("characters", ("<unk>", "\n", "a", "ä", "😀"))
WORDS = Vocabulary("words", ("<unk>", "<eos>", "the", "cat", "l'été"))
BYTES = Vocabulary("bytes", ("\0", "a", "ÿ"))


def test_bytes() -> None:
    assert BYTES.encode(b"a\xff\0").tolist() == [1, 2, 0]
    assert BYTES.decode([1, 2, 0]) == b"a\xff\0"
    assert BYTES.to_data() == {"kind": "bytes", "symbols": [0, 97, 255]}
    assert BYTES.unknown is None
    with pytest.raises(DataError, match="byte 98 at 2 is not in it, and it has no <unk>"):
        BYTES.encode(b"aab")
    with pytest.raises(DataError, match=r"wanted bytes; try text.encode\(\)"):
        BYTES.encode("a")


def test_characters() -> None:
    assert LETTERS.encode("aä😀b\n").tolist() == [2, 3, 4, 0, 1]
    assert LETTERS.decode(LETTERS.encode("aä😀b\n")) == "aä😀\ufffd\n"
    assert LETTERS.unknown == 0
    with pytest.raises(DataError, match="wanted a string"):
        LETTERS.encode(b"a")


def test_words() -> None:
    assert WORDS.encode("the \t cat\nsat\r\n").tolist() == [2, 3, 1, 0, 1]
    assert WORDS.encode(["the", "l'été"]).tolist() == [2, 4]
    assert WORDS.decode([2, 3, 1, 0]) == "the cat \n <unk>"
    assert WORDS.encode("the\xa0cat").tolist() == [0]  # no blank of ASCII's


@pytest.mark.parametrize(("size", "dtype"), [(256, np.uint8), (257, np.uint16), (65536, np.uint16)])
def test_smallest_type(size: int, dtype: type) -> None:
    many = Vocabulary("words", tuple(f"w{n}" for n in range(size)))
    assert many.encode([f"w{size - 1}"]).tolist() == [size - 1]
    assert many.encode(["w0"]).dtype == dtype


def test_beyond_sixteen_bits() -> None:
    many = Vocabulary("characters", tuple(map(chr, range(0x10000, 0x10000 + 65537))))
    assert many.dtype == np.int32
    assert many.decode([65536]) == chr(0x20000)


@pytest.mark.parametrize("ids", [[-1], [5], [0.5], ["a"], [None], [2**70], np.array([1.0]), [True]])
def test_refuses_ids_of_no_symbol(ids: Any) -> None:
    with pytest.raises(DataError, match="wanted whole numbers from 0 to 4"):
        LETTERS.decode(ids)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_round_trips(text: str) -> None:
    for made, source in (
        (build_vocabulary("characters", dict.fromkeys(text, 1)), text),
        (Vocabulary("bytes", tuple(map(chr, range(256)))), text.encode()),
    ):
        assert made.decode(made.encode(source)) == source
        assert Vocabulary.from_data(json.loads(json.dumps(made.to_data()))) == made


def test_build() -> None:
    counts = {"d": 1, "c": 3, "b": 3, "a": 2}
    assert build_vocabulary("words", counts).symbols == ("b", "c", "a", "d")
    assert build_vocabulary("characters", counts).symbols == ("a", "b", "c", "d")
    assert build_vocabulary("words", counts, max_size=3, specials=["<s>"]).symbols == ("<s>", "b", "c")
    assert build_vocabulary("characters", counts, max_size=2).symbols == ("b", "c")
    assert build_vocabulary("words", {"<unk>": 9, "x": 1}, specials=["<unk>"]).symbols == ("<unk>", "x")
    with pytest.raises(DataError, match="no words occur 4 times"):
        build_vocabulary("words", counts, min_count=4)
    with pytest.raises(ConfigError, match="wanted more than the 1 special symbols, came 1"):
        build_vocabulary("words", counts, max_size=1, specials=["<unk>"])


BAD: list[tuple[Any, str]] = [
    (None, "wanted an object with the keys kind and symbols, came None"),
    ([], "came \\[\\]"),
    ({"kind": "words"}, "came the keys \\['kind'\\]"),
    ({"kind": "words", "symbols": ["a"], "size": 1}, "came the keys"),
    ({"kind": "word", "symbols": ["a"]}, "did you mean words\\?"),
    ({"kind": ["words"], "symbols": ["a"]}, "kind: wanted bytes"),
    ({"kind": "words", "symbols": "abc"}, "symbols: wanted a list, came 'abc'"),
    ({"kind": "words", "symbols": []}, "wanted at least one symbol"),
    ({"kind": "words", "symbols": ["<unk>"]}, "wanted at least one symbol that is no special one"),
    ({"kind": "words", "symbols": ["a", "b", "a"]}, "symbol 2, 'a': it stands there twice"),
    ({"kind": "words", "symbols": ["a", ""]}, "symbol 1, '': wanted a word without blanks"),
    ({"kind": "words", "symbols": ["a b"]}, "without blanks"),
    ({"kind": "words", "symbols": [1]}, "symbol 0, 1: wanted a string"),
    ({"kind": "words", "symbols": [["a"]]}, "wanted a string"),
    ({"kind": "characters", "symbols": ["ab"]}, "wanted one character"),
    ({"kind": "characters", "symbols": ["\ud800"]}, "half of a surrogate pair"),
    ({"kind": "bytes", "symbols": [256]}, "symbol 0, 256: wanted a whole number from 0 to 255"),
    ({"kind": "bytes", "symbols": [-1]}, "wanted a whole number"),
    ({"kind": "bytes", "symbols": [True]}, "wanted a whole number"),
    ({"kind": "bytes", "symbols": [97.0]}, "wanted a whole number"),
    ({"kind": "bytes", "symbols": ["<unk>"]}, "wanted a whole number"),
    ({"kind": "bytes", "symbols": [97, 97]}, "twice"),
]


@pytest.mark.parametrize(("data", "message"), BAD)
def test_refuses(data: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        Vocabulary.from_data(data, "model/vocabulary.json")
    assert_refusal(caught.value, "model/vocabulary.json: ")


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just("words")
ANY = LEAF | st.lists(LEAF, max_size=4) | st.dictionaries(st.text(max_size=4), LEAF, max_size=2)


@settings(max_examples=150, deadline=None)
@given(ANY, ANY, st.booleans())
def test_anything_is_a_vocabulary_or_a_data_error(kind: Any, symbols: Any, whole: bool) -> None:
    try:
        Vocabulary.from_data({"kind": kind, "symbols": symbols} if whole else symbols)
    except DataError as error:
        assert_one_line(error)
