"""Texts for language models: one long row of ids, cut in order into training, validation and test.

``load_text("stdlib")`` needs no file. A text may be of any size: it is read in blocks, and the ids of a large
one are written into the cache folder once and mapped into memory.
"""

from __future__ import annotations

import hashlib
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from gatelab.data.places import find
from gatelab.data.text.cache import cached
from gatelab.data.text.files import (
    TextFile,
    bytes_as_text,
    digest,
    find_files,
    has_own_parts,
    three_files,
)
from gatelab.data.text.ids import Choices, Plan, Three, Tokeniser, check_parts
from gatelab.data.text.sets import TextSource, find_text
from gatelab.data.text.stdlib import stdlib_text
from gatelab.data.text.vocabulary import Ids, Kind, Vocabulary
from gatelab.errors import ConfigError, DataError

LARGE = 16 * 2**20
"""Bytes of text above which its ids are kept in the cache folder, not in memory."""
FRACTIONS = (0.8, 0.1, 0.1)

Where = str | os.PathLike[str]


@dataclass(frozen=True, eq=False)
class Corpus:
    """One text as ids.

    Attributes
    ----------
    name, title
        Its short name and its name in tables; of a text given by its path, the file's name.
    vocabulary
        What the ids mean; built on the training part.
    ids
        The ids ``[N]`` of the whole text in order, in uint8, uint16 or int32: an array, or a memory map.
    sizes
        How many of them, in order, are for training, validation and test.
    outside
        How many symbols of the three parts the training part's vocabulary does not have: they are ``<unk>``
        (bytes, which have no ``<unk>``, keep an id of their own).
    text_bytes
        How many bytes of text the parts were: nats of a part divided by them compare words with characters.
    source, digest
        Where the text came from; SHA-256 of the file, or of names and contents of several.
    """

    name: str
    title: str
    vocabulary: Vocabulary
    ids: Ids
    sizes: Three
    outside: Three
    text_bytes: Three
    source: str
    digest: str

    @property
    def train(self) -> Ids:
        """The ids for training ``[sizes[0]]``."""
        return self.ids[: self.sizes[0]]

    @property
    def valid(self) -> Ids:
        """The ids for validation ``[sizes[1]]``."""
        return self.ids[self.sizes[0] : self.sizes[0] + self.sizes[1]]

    @property
    def test(self) -> Ids:
        """The ids for test ``[sizes[2]]``."""
        return self.ids[self.sizes[0] + self.sizes[1] :]


def load_text(
    name_or_path: Where | Sequence[Where],
    *,
    level: Kind | None = None,
    fractions: Sequence[float] | None = None,
    encoding: str = "utf-8",
    min_count: int = 1,
    max_size: int | None = None,
    unknown: bool | None = None,
) -> Corpus:
    """Return a text as ids, by its name or from files.

    1. A name: ``stdlib`` is built in; ``warpeace``, ``linux``, ``tinyshakespeare``, ``ptb`` and
       ``ptb-characters`` are looked for in the folders of :mod:`gatelab.settings`.
    2. A path (it has a folder in it, or ends in .txt or .zip): a file, cut in order; a folder or zip archive
       of ``.txt`` files, each as a whole in one part (where there are three that are called train, valid and
       test, these). Three paths: the files for training, validation and test.
    3. The vocabulary is built on the training part. Nothing of the text is changed: line ends and byte order
       marks are symbols like others. Words stand between ASCII's blanks, a line feed is the word ``<eos>``.

    Parameters
    ----------
    name_or_path
        ``"warpeace"``, ``"./my.txt"``, ``["a.txt", "b.txt", "c.txt"]`` …
    level
        ``"bytes"``, ``"characters"`` or ``"words"``; None: the usual one of a known text, else characters.
    fractions
        What part of the bytes is for training, validation and test; None: the usual ones, else 0.8, 0.1, 0.1.
        The cut is at the same byte for every level, so that levels can be compared.
    encoding
        How the bytes stand for characters.
    min_count, max_size
        Characters or words that are rarer in the training part, and the rarest above this size, become
        ``<unk>``.
    unknown
        Whether the vocabulary has ``<unk>``; None: where some symbol of the text needs it.

    Returns
    -------
    Corpus
        Ids, vocabulary, and where they came from.

    Raises
    ------
    ConfigError
        No text has this name, or an option is impossible.
    DataError
        The file is not to be had, is empty, in another encoding (the message has the byte), or not the text
        that its name says.

    Examples
    --------
    >>> text = load_text("stdlib")
    >>> len(text.ids) == sum(text.sizes), len(text.vocabulary.decode(text.train[:40]))
    (True, 40)

    Notes
    -----
    A. Karpathy, J. Johnson and L. Fei-Fei, "Visualizing and Understanding Recurrent Networks", 2015,
    arXiv:1506.02078 (War and Peace, Linux). T. Mikolov et al., "Recurrent neural network based language
    model", Interspeech 2010 (Penn Treebank, ``<eos>``).
    """
    known = _known(name_or_path)
    choices = Choices(
        level or (known.level if known else "characters"), encoding, min_count, max_size, unknown
    )
    shared = _checked(fractions or (known.fractions if known else FRACTIONS))
    if known is None:
        files, place = _files_at(name_or_path, shared)
        name = title = Path(place).name
    else:
        files, place = _files_of(known, shared)
        name, title = known.name, known.title
    if fractions is not None and has_own_parts(files):
        raise ConfigError(
            f"{place}: has parts of its own, files for training, validation and test; try no split"
        )
    found = _digest(files, known, place)
    plan, ids = _ids(files, choices, place, found)
    check_parts(plan.sizes, shared, place)
    train, valid, test = (sum(file.shares[part] for file in files) for part in range(3))
    text_bytes = train, valid, test
    return Corpus(name, title, plan.vocabulary, ids, plan.sizes, plan.outside, text_bytes, place, found)


def _known(asked: Where | Sequence[Where]) -> TextSource | None:
    """Return the known text that is meant, or None where a path is, or several."""
    if not isinstance(asked, str):
        return None
    separators = [mark for mark in (os.sep, os.altsep) if mark]
    is_path = any(mark in asked for mark in separators) or asked.lower().endswith((".txt", ".zip"))
    return None if is_path else find_text(asked)


def _checked(fractions: Sequence[float]) -> tuple[float, ...]:
    """Refuse fractions that are no shares of a whole."""
    shares = tuple(fractions)
    numbers = all(isinstance(share, int | float) and 0 <= share <= 1 for share in shares)
    if len(shares) != 3 or not numbers or not shares[0] or not math.isclose(sum(shares), 1, abs_tol=1e-6):
        raise ConfigError(f"fractions: wanted three that add up to 1, such as 0.8, 0.1, 0.1, came {shares!r}")
    return shares


def _files_at(asked: Where | Sequence[Where], fractions: Sequence[float]) -> tuple[tuple[TextFile, ...], str]:
    """Return the files at a path, or at three, and what a message calls them."""
    if isinstance(asked, str | os.PathLike):
        path = Path(asked).expanduser()
        return find_files(path, fractions), str(path)
    paths = [Path(path).expanduser() for path in asked]
    return three_files(paths), ", ".join(map(str, paths))


def _files_of(known: TextSource, fractions: Sequence[float]) -> tuple[tuple[TextFile, ...], str]:
    """Return the files of a known text, and what a message calls them."""
    if not known.folder:
        place = f"built in: the standard library of Python {platform.python_version()}"
        return bytes_as_text(stdlib_text(), place, fractions), place
    first = find(known.title, known.folder, known.files if known.cut else known.files[:1], known.home)
    if known.cut:
        return find_files(first, fractions), str(first)
    return three_files([first.with_name(name) for name in known.files]), str(first.parent)


def _digest(files: Sequence[TextFile], known: TextSource | None, place: str) -> str:
    """Return the digest; refuse a file that bears the name of a known text but holds something else."""
    found = digest(files)
    if known is not None and known.digest and found != known.digest:
        raise DataError(
            f"{place}: is not {known.title}: wanted the SHA-256 {known.digest[:12]}…, came {found[:12]}…; "
            f"try {known.home}, or to give the path of the file"
        )
    return found


def _ids(files: Sequence[TextFile], choices: Choices, place: str, found: str) -> tuple[Plan, Ids]:
    """Return plan and ids ``[N]``: of a large text as a memory map."""
    if sum(sum(file.shares) for file in files) > LARGE:
        shares = hashlib.sha256(repr([file.shares for file in files]).encode()).hexdigest()
        asked = {"digest": found, "shares": shares, **asdict(choices)}
        return cached(asked, lambda: Tokeniser(files, choices, place))
    with Tokeniser(files, choices, place) as tokeniser:
        return tokeniser.plan, np.concatenate(list(tokeniser.ids()))
