"""Symbols and their ids: the byte values, characters or words that a model of text knows.

A vocabulary is kept as JSON beside the weights of a model, where anybody may edit it; it is checked when it
is read. Id n is the nth symbol, from 0.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gatelab.errors import ConfigError, DataError, near_misses

Kind = Literal["bytes", "characters", "words"]
KINDS: tuple[Kind, ...] = ("bytes", "characters", "words")

UNKNOWN, START, STOP, LINE_END = "<unk>", "<s>", "</s>", "<eos>"
SPECIALS = (UNKNOWN, START, STOP, LINE_END)
"""Symbols that stand for no text of their own: any other symbol, start, end and line end of a sequence."""
BLANKS = " \t\n\r\x0b\x0c"
"""What parts words: ASCII's white space, and nothing else."""
SHOWN_UNKNOWN = "\ufffd"
"""What ``<unk>`` becomes in a text of characters: Unicode's replacement character."""

Ids = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.int32]


@dataclass(frozen=True)
class Vocabulary:
    """Symbols and their ids, for texts as bytes, characters or words.

    Attributes
    ----------
    kind
        ``"bytes"``, ``"characters"`` or ``"words"``.
    symbols
        The nth is what id n means. A byte is written as the character of its number, as in Latin-1.

    Raises
    ------
    DataError
        No symbols, one twice, or one that is none of this kind.

    Examples
    --------
    >>> letters = Vocabulary("characters", ("<unk>", "a", "b"))
    >>> letters.encode("abba!").tolist()
    [1, 2, 2, 1, 0]
    >>> letters.decode([2, 1, 0])
    'ba\ufffd'
    >>> Vocabulary.from_data(letters.to_data()) == letters
    True
    """

    kind: Kind
    symbols: tuple[str, ...]

    def __post_init__(self) -> None:
        _check(self.kind, self.symbols, "vocabulary")

    def __len__(self) -> int:
        return len(self.symbols)

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of every symbol."""
        return {symbol: number for number, symbol in enumerate(self.symbols)}

    @property
    def unknown(self) -> int | None:
        """The id of ``<unk>``, or None where this vocabulary has none; one of bytes never has."""
        return self.ids.get(UNKNOWN)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest of uint8, uint16 and int32 that holds every id."""
        return smallest(len(self))

    def encode(self, text: str | bytes | Iterable[str]) -> Ids:
        """Return the ids of a text ``[N]``, in the smallest type that holds them.

        Parameters
        ----------
        text
            Of a vocabulary of bytes: bytes. Of characters: a string. Of words: the words, or a string, which
            is parted at blanks; its line ends become ``<eos>`` where the vocabulary has it.

        Raises
        ------
        DataError
            A symbol is not in the vocabulary, which has no ``<unk>``; or the text is of another kind.
        """
        if isinstance(text, bytes) != (self.kind == "bytes"):
            wanted = "bytes; try text.encode()" if self.kind == "bytes" else "a string; try to decode it"
            raise DataError(f"vocabulary of {self.kind}: came {type(text).__name__}, wanted {wanted}")
        parts = list(text.decode("latin-1") if isinstance(text, bytes) else self._parts(text))
        known, unknown = self.ids, self.unknown
        if unknown is None and (missing := set(parts) - known.keys()):
            raise self._missing(parts, next(at for at, part in enumerate(parts) if part in missing))
        return np.fromiter(map(known.get, parts, repeat(unknown or 0)), self.dtype, len(parts))

    def decode(self, ids: Iterable[int]) -> str | bytes:
        """Return the text of ids ``[N]``: bytes, characters, or words with a blank between.

        ``<unk>`` is shown as U+FFFD among characters, ``<eos>`` among words as a line end.

        Raises
        ------
        DataError
            An id is none of this vocabulary.
        """
        numbers = np.asarray(ids if isinstance(ids, np.ndarray) else list(ids))
        whole = numbers.dtype.kind in "iu" or not numbers.size
        if not whole or (numbers.size and not 0 <= numbers.min() <= numbers.max() < len(self)):
            came = reprlib.repr(numbers.tolist())
            raise DataError(f"vocabulary: wanted whole numbers from 0 to {len(self) - 1}, came {came}")
        parts = [self.symbols[number] for number in numbers.tolist()]
        if self.kind == "bytes":
            return "".join(parts).encode("latin-1")
        if self.kind == "characters":
            return "".join(SHOWN_UNKNOWN if part == UNKNOWN else part for part in parts)
        return " ".join("\n" if part == LINE_END else part for part in parts)

    def to_data(self) -> dict[str, Any]:
        """Return this vocabulary as what JSON can hold; bytes are written as numbers."""
        written = [ord(s) for s in self.symbols] if self.kind == "bytes" else list(self.symbols)
        return {"kind": self.kind, "symbols": written}

    @staticmethod
    def from_data(data: Any, place: str = "vocabulary") -> Vocabulary:
        """Return the vocabulary that :meth:`to_data` wrote; ``place`` is what a message calls the file.

        Raises
        ------
        DataError
            Whatever is odd: other keys, another kind, no symbols, one twice, or one that is none of its kind.
        """
        if not isinstance(data, dict) or set(data) != {"kind", "symbols"}:
            came = f"the keys {reprlib.repr(list(data))}" if isinstance(data, dict) else reprlib.repr(data)
            raise DataError(f"{place}: wanted an object with the keys kind and symbols, came {came}")
        kind, symbols = data["kind"], data["symbols"]
        if kind not in KINDS:
            hint = near_misses(kind, KINDS) if isinstance(kind, str) else ""
            raise DataError(f"{place}: kind: wanted {', '.join(KINDS)}, came {reprlib.repr(kind)}{hint}")
        if not isinstance(symbols, list):
            raise DataError(f"{place}: symbols: wanted a list, came {reprlib.repr(symbols)}")
        if kind == "bytes":
            symbols = [chr(s) if type(s) is int and 0 <= s < 256 else s for s in symbols]
        _check(kind, symbols, place)
        return Vocabulary(kind, tuple(symbols))

    def _parts(self, text: str | Iterable[str]) -> Iterable[str]:
        """Return the symbols of a text of characters or words."""
        if self.kind == "characters" or not isinstance(text, str):
            return text
        line_end = f" {LINE_END} " if LINE_END in self.ids else " "
        return (part for part in text.replace("\n", line_end).translate(_TO_SPACE).split(" ") if part)

    def _missing(self, parts: list[str], at: int) -> DataError:
        shown = f"byte {ord(parts[at])}" if self.kind == "bytes" else ascii(parts[at])
        return DataError(
            f"vocabulary of {len(self)} {self.kind}: {shown} at {at} is not in it, and it has no {UNKNOWN}; "
            f"try to leave it out, or a model that was trained on it"
        )


def build_vocabulary(
    kind: Kind,
    counts: Mapping[str, int],
    *,
    min_count: int = 1,
    max_size: int | None = None,
    specials: Iterable[str] = (),
) -> Vocabulary:
    """Return a vocabulary of the symbols that are frequent enough.

    1. Keep those that occur ``min_count`` times or more.
    2. Of these the most frequent, up to ``max_size`` with the specials; of equals, the first by code point.
    3. The specials come first, then words by falling frequency, but bytes and characters by their numbers.

    Parameters
    ----------
    kind
        What the symbols are.
    counts
        How often each occurs in the training part.
    min_count, max_size
        As above; None is no limit.
    specials
        Symbols that are there whatever their counts.

    Raises
    ------
    ConfigError
        ``max_size`` leaves no room for a symbol.
    DataError
        No symbol is frequent enough.

    Examples
    --------
    >>> build_vocabulary("words", {"b": 2, "a": 2, "c": 1}, min_count=2, specials=["<unk>"]).symbols
    ('<unk>', 'a', 'b')
    """
    first = tuple(specials)
    if max_size is not None and max_size <= len(first):
        raise ConfigError(f"max_size: wanted more than the {len(first)} special symbols, came {max_size}")
    kept = [symbol for symbol, count in counts.items() if count >= min_count and symbol not in first]
    kept.sort(key=lambda symbol: (-counts[symbol], symbol))
    kept = kept if max_size is None else kept[: max_size - len(first)]
    if not kept:
        raise DataError(
            f"vocabulary: no {kind} occur {min_count:,} times in training; try a smaller min_count"
        )
    return Vocabulary(kind, (*first, *(kept if kind == "words" else sorted(kept))))


def check_counts(**counts: int | None) -> None:
    """Refuse limits that are not whole numbers from 1, with a ConfigError; None is no limit."""
    for name, value in counts.items():
        if value is not None and (type(value) is not int or value < 1):
            raise ConfigError(f"{name}: wanted a whole number from 1, came {value!r}")


def smallest(size: int) -> np.dtype[Any]:
    """Return the smallest of uint8, uint16 and int32 that holds ids below ``size``."""
    return np.dtype(np.uint8 if size <= 2**8 else np.uint16 if size <= 2**16 else np.int32)


_TO_SPACE = dict.fromkeys(map(ord, BLANKS), " ")


def _check(kind: str, symbols: Iterable[Any], place: str) -> None:
    """Refuse symbols that are missing, doubled, or none of their kind."""
    seen: set[str] = set()
    for number, symbol in enumerate(symbols):
        wrong = _wrong(kind, symbol) or ("it stands there twice" if symbol in seen else "")
        if wrong:
            raise DataError(f"{place}: symbol {number}, {reprlib.repr(symbol)}: {wrong}; try to correct it")
        seen.add(symbol)
    if not seen - set(SPECIALS):
        raise DataError(f"{place}: wanted at least one symbol that is no special one, came {sorted(seen)}")


def _wrong(kind: str, symbol: Any) -> str:
    """Say what is wrong with a symbol of this kind, else return an empty string."""
    if not isinstance(symbol, str):
        return "wanted a whole number from 0 to 255" if kind == "bytes" else "wanted a string"
    if any("\ud800" <= letter <= "\udfff" for letter in symbol):
        return "half of a surrogate pair is no character"
    if kind == "bytes":
        return "" if len(symbol) == 1 and symbol < "\u0100" else "wanted a whole number from 0 to 255"
    if kind == "characters":
        return "" if len(symbol) == 1 or symbol in SPECIALS else "wanted one character"
    return "" if symbol and not set(symbol) & set(BLANKS) else "wanted a word without blanks"
