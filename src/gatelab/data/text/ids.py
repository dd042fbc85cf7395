"""A text as ids: the vocabulary from its training part, then the ids of all of it, block by block."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from gatelab.data.splits import SPLITS
from gatelab.data.text.codes import Codebook
from gatelab.data.text.files import TextFile
from gatelab.data.text.vocabulary import KINDS, UNKNOWN, Ids, Kind, Vocabulary, build_vocabulary, check_counts
from gatelab.errors import ConfigError, DataError, near_misses

NO_FILES = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7"}
"""Encodings of Python that are for other things than files of text."""

Three = tuple[int, int, int]


@dataclass(frozen=True)
class Choices:
    """How a text becomes ids.

    Attributes
    ----------
    level
        ``"bytes"``, ``"characters"`` or ``"words"``.
    encoding
        How bytes stand for characters, one of Python's names; bytes have none.
    min_count, max_size
        Rarer characters or words, and the rarest above this size, become ``<unk>``.
    unknown
        Whether there is a ``<unk>``; None: where some symbol of the text needs it. Bytes never have it.

    Raises
    ------
    ConfigError
        One of them is impossible, or means nothing for this level.
    """

    level: Kind = "characters"
    encoding: str = "utf-8"
    min_count: int = 1
    max_size: int | None = None
    unknown: bool | None = None

    def __post_init__(self) -> None:
        if self.level not in KINDS:
            hint = near_misses(str(self.level), KINDS) or ";"
            raise ConfigError(f"no level of text is called {self.level!r}{hint} known are {', '.join(KINDS)}")
        check_counts(min_count=self.min_count, max_size=self.max_size)
        if self.level == "bytes" and (self.min_count, self.max_size, self.unknown) not in _PLAIN:
            raise ConfigError(
                "level bytes: every byte has an id; try it without min_count, max_size and unknown"
            )
        if self.level == "bytes" and self.encoding != "utf-8":
            raise ConfigError(f"level bytes: is in no encoding; try it without encoding {self.encoding!r}")
        _check_encoding(self.encoding)


_PLAIN = ((1, None, None), (1, None, False))


def _check_encoding(name: str) -> None:
    try:
        "a".encode(name)
        known = codecs.lookup(name).name not in NO_FILES and bool(codecs.getincrementaldecoder(name))
    except (LookupError, ValueError, TypeError):
        known = False
    if not known:
        raise ConfigError(f"encoding: {name!r} is not known; try 'utf-8', 'latin-1', 'utf-16' or 'cp1252'")


@dataclass(frozen=True)
class Plan:
    """All that is known of a text's ids after a first reading.

    Attributes
    ----------
    vocabulary
        Built on the training part.
    sizes
        How many symbols training, validation and test have.
    outside
        How many of these are not in the vocabulary that training gave.
    """

    vocabulary: Vocabulary
    sizes: Three
    outside: Three


class Tokeniser:
    """Reads a text twice: once for the vocabulary and the sizes, once for the ids; to be used in a ``with``.

    Parameters
    ----------
    files
        The text.
    choices
        How it becomes ids.
    place
        What a message calls the text.
    """

    def __init__(self, files: Sequence[TextFile], choices: Choices, place: str) -> None:
        self._files, self._choices, self._place = files, choices, place
        self._book = Codebook(choices.level, choices.encoding)

    def __enter__(self) -> Tokeniser:
        return self

    def __exit__(self, *_: object) -> None:
        self._book.__exit__()

    @cached_property
    def plan(self) -> Plan:
        """What the first reading tells."""
        return self._plan()

    def ids(self) -> Iterator[Ids]:
        """Yield the ids of the text, block by block, training first."""
        wanted, table, total = sum(self.plan.sizes), self._table(), 0
        for codes in self._book.again(self._files):
            if codes.size and int(codes.max()) >= len(table):
                raise self._changed()
            total += len(codes)
            yield table[codes]
        if total != wanted:
            raise self._changed()

    @cached_property
    def _counts(self) -> NDArray[np.int64]:
        """How often each code occurs in the three parts ``[3, codes]``."""
        return self._book.counts(self._files)

    @cached_property
    def _used(self) -> NDArray[np.intp]:
        """The codes that occur ``[used]``."""
        return np.flatnonzero(self._counts.sum(axis=0))

    @cached_property
    def _symbols(self) -> list[str]:
        """What they mean ``[used]``."""
        return self._book.symbols(self._used.tolist())

    def _plan(self) -> Plan:
        train, valid, test = self._counts.sum(axis=1).tolist()
        if not train:
            raise DataError(f"{self._place}: the training part is empty; try a longer text")
        vocabulary = self._vocabulary()
        if self._choices.level == "bytes":
            outside = self._counts[:, self._counts[0] == 0].sum(axis=1)
        else:
            outside = self._counts[:, self._used[self._strange(vocabulary)]].sum(axis=1)
        return Plan(vocabulary, (train, valid, test), tuple(outside.tolist()))

    def _vocabulary(self) -> Vocabulary:
        """Return the vocabulary; with ``<unk>`` where it is wanted, or needed and not refused."""
        choices, counts = self._choices, self._counts[0, self._used].tolist()
        trained = dict(zip(self._symbols, counts, strict=True))
        if choices.level == "bytes":
            return build_vocabulary("bytes", trained, min_count=0)
        build = partial(
            build_vocabulary, choices.level, trained, min_count=choices.min_count, max_size=choices.max_size
        )
        if choices.unknown:
            return build(specials=[UNKNOWN])
        vocabulary = build()
        strange = self._strange(vocabulary)
        if not strange.any():
            return vocabulary
        if choices.unknown is None:
            return build(specials=[UNKNOWN])
        first = self._symbols[int(np.argmax(strange))]
        raise DataError(
            f"{self._place}: {np.count_nonzero(strange):,} {choices.level} are not in the vocabulary of the "
            f"training part, the first is {ascii(first)[:80]}; try unknown=True"
        )

    def _strange(self, vocabulary: Vocabulary) -> NDArray[np.bool_]:
        """Return which of the symbols used are not in the vocabulary ``[used]``."""
        known = vocabulary.ids
        return np.fromiter((symbol not in known for symbol in self._symbols), np.bool_, len(self._symbols))

    def _table(self) -> Ids:
        """Return the id of every code ``[codes]``."""
        vocabulary = self.plan.vocabulary
        other = vocabulary.unknown or 0
        table = np.full(self._counts.shape[1], other, vocabulary.dtype)
        table[self._used] = [vocabulary.ids.get(symbol, other) for symbol in self._symbols]
        return table

    def _changed(self) -> DataError:
        return DataError(f"{self._place}: was changed while it was read; try again when it is whole")


def check_parts(sizes: Three, fractions: Sequence[float], place: str) -> None:
    """Refuse a text that is too short to give each wanted part a symbol."""
    for part, size, fraction in zip(SPLITS, sizes, fractions, strict=True):
        if fraction > 0 and not size:
            raise DataError(f"{place}: {part}: wanted at least one symbol, came none; try a longer text")
