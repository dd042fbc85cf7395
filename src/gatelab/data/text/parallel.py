"""Sentences in two languages, line by line, for sequence-to-sequence tasks: Multi30k, and the user's own."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from gatelab.data.places import find
from gatelab.data.splits import NAMES, SPLITS, split_by_group
from gatelab.data.text.lines import read_lines
from gatelab.data.text.sentences import as_ids, train_vocabulary
from gatelab.data.text.vocabulary import START, STOP, UNKNOWN, Ids, Vocabulary, check_counts
from gatelab.data.text.words import words
from gatelab.errors import ConfigError, DataError

Pair = tuple[str, str]


class ParallelPart(NamedTuple):
    """Sentences ``[T]`` as ids in both languages, T words differ; the target's sentences as they stand."""

    source: tuple[Ids, ...]
    target: tuple[Ids, ...]
    references: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ParallelText:
    """A set of sentence pairs, split for training, validation and test.

    Attributes
    ----------
    name, title
        Its short name and its name in tables.
    languages
        Source and target, ``("de", "en")``.
    source_vocabulary, target_vocabulary
        The words of the training part; ``<unk>``, ``<s>`` and ``</s>`` come first. Sentences hold their own
        words only: start and end are the task's to add.
    train, valid, test
        The pairs; no sentence is empty.
    source_outside, target_outside
        How many words of the three parts are ``<unk>``.
    left_out
        How many pairs of the three parts were left out because a side of them is empty.
    source, digest
        Where it came from; SHA-256 of the sentences.
    lower
        Whether the words were put into lower case.
    """

    name: str
    title: str
    languages: Pair
    source_vocabulary: Vocabulary
    target_vocabulary: Vocabulary
    train: ParallelPart
    valid: ParallelPart
    test: ParallelPart
    source_outside: tuple[int, int, int]
    target_outside: tuple[int, int, int]
    left_out: tuple[int, int, int]
    source: str
    digest: str
    lower: bool = False


def load_parallel(
    name_or_paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    pair: str = "de-en",
    min_count: int = 2,
    lower: bool = False,
) -> ParallelText:
    """Return sentence pairs by a name, from a folder, or from two files.

    1. ``multi30k`` is looked for in the folders of :mod:`gatelab.settings`.
    2. A folder: for each part one file a language, whose name begins with train, valid (or val, dev) and test
       and ends in ``.de`` or ``.de.gz``. Two files: source and target, line by line; they are split 80/10/10
       by :func:`gatelab.data.splits.split_by_group`, so that equal pairs are in the same part.
    3. Words are those of :func:`gatelab.data.text.words.words`; the vocabularies are those of training.

    Parameters
    ----------
    name_or_paths
        ``"multi30k"``, ``"./folder"`` or ``["a.de", "a.en"]``.
    pair
        Source and target language, as the files' names have them.
    min_count
        Words that are rarer in the training part are ``<unk>``.
    lower
        Whether to put the words into lower case; the references stay as they are.

    Raises
    ------
    ConfigError
        ``pair`` is none.
    DataError
        A file is not to be had or broken, or two files have different numbers of lines.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sides = [pathlib.Path(folder, name) for name in ("a.de", "a.en")]
    ...     _ = sides[0].write_text("".join(f"{n} Hunde.\\n" for n in range(10)))
    ...     _ = sides[1].write_text("".join(f"{n} dogs.\\n" for n in range(10)))
    ...     text = load_parallel(sides, min_count=2)
    >>> text.target_vocabulary.symbols
    ('<unk>', '<s>', '</s>', '.', 'dogs')
    >>> text.test.references, text.test.target[0].tolist()
    (('4 dogs.',), [0, 4, 3])

    Notes
    -----
    D. Elliott et al., "Multi30K: Multilingual English-German Image Descriptions", 2016, arXiv:1605.00459.
    """
    check_counts(min_count=min_count)
    if not re.fullmatch(r"[A-Za-z0-9_]+-[A-Za-z0-9_]+", pair):
        raise ConfigError(f"pair: wanted two languages such as de-en, came {pair!r}")
    first, second = pair.split("-")
    if not isinstance(name_or_paths, str | os.PathLike):
        sides = [Path(path).expanduser() for path in name_or_paths]
        return _made(sides[0].stem, sides[0].stem, (first, second), _two_files(sides), min_count, lower)
    if name_or_paths == "multi30k":
        home = "github.com/multi30k/dataset, data/task1/raw"
        folder, title = find("Multi30k", "multi30k", [f"train.{first}.gz"], home).parent, "Multi30k"
    else:
        folder = Path(name_or_paths).expanduser()
        title = folder.name
    return _made(title.lower(), title, (first, second), _folder(folder, (first, second)), min_count, lower)


class _Read(NamedTuple):
    """The pairs of each part, how many were left out, and where they came from."""

    parts: list[list[Pair]]
    left_out: tuple[int, int, int]
    source: str


def _two_files(paths: Sequence[Path]) -> _Read:
    if len(paths) != 2:
        raise ConfigError(f"parallel text: wanted two files, source and target, came {len(paths)}")
    place = f"{paths[0]}, {paths[1]}"
    pairs, left_out = _aligned(paths[0], paths[1])
    found = split_by_group(["\n".join(pair) for pair in pairs], place=place)
    parts = [part.tolist() for part in (found.train, found.valid, found.test)]
    return _Read([[pairs[n] for n in part] for part in parts], (left_out, 0, 0), place)


def _folder(folder: Path, languages: Pair) -> _Read:
    read = [_aligned(*(_file(folder, part, language) for language in languages)) for part in range(3)]
    return _Read([pairs for pairs, _ in read], (read[0][1], read[1][1], read[2][1]), str(folder))


def _file(folder: Path, part: int, language: str) -> Path:
    """Return the one file of a part in a language."""
    endings = (f".{language}", f".{language}.gz")
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror}); try multi30k, or a folder") from None
    begins = tuple(name for name, place in NAMES.items() if place == part)
    found = [name for name in names if name.startswith(begins) and name.endswith(endings)]
    if len(found) != 1:
        came = ", ".join(found) or "none"
        raise DataError(f"{folder}: wanted one {SPLITS[part]}*.{language} or .gz, came {came}; try two files")
    return folder / found[0]


def _aligned(first: Path, second: Path) -> tuple[list[Pair], int]:
    """Return the pairs of lines of two files, and how many were left out as a side is empty."""
    ours, theirs = read_lines(first), read_lines(second)
    if len(ours) != len(theirs):
        raise DataError(
            f"{first} has {len(ours):,} lines, {second} has {len(theirs):,}; wanted as many; "
            f"try to align them, a sentence a line"
        )
    pairs = [(one, two) for one, two in zip(ours, theirs, strict=True) if one.strip() and two.strip()]
    if not pairs:
        raise DataError(f"{first}, {second}: wanted pairs of sentences, came none; try other files")
    return pairs, len(ours) - len(pairs)


def _made(name: str, title: str, languages: Pair, read: _Read, min_count: int, lower: bool) -> ParallelText:
    """Return the set: vocabularies from the training part, ids of all."""
    ours, theirs = (_side(read, side, min_count, lower) for side in range(2))
    train, valid, test = (
        ParallelPart(one, two, tuple(sentence.strip() for _, sentence in part))
        for one, two, part in zip(ours.ids, theirs.ids, read.parts, strict=True)
    )
    return ParallelText(
        name=name,
        title=title,
        languages=languages,
        source_vocabulary=ours.vocabulary,
        target_vocabulary=theirs.vocabulary,
        train=train,
        valid=valid,
        test=test,
        source_outside=ours.outside,
        target_outside=theirs.outside,
        left_out=read.left_out,
        source=read.source,
        digest=_digest(read),
        lower=lower,
    )


class _Side(NamedTuple):
    """One language: its vocabulary, the ids of the three parts, how many words of each are unknown."""

    vocabulary: Vocabulary
    ids: list[tuple[Ids, ...]]
    outside: tuple[int, int, int]


def _side(read: _Read, side: int, min_count: int, lower: bool) -> _Side:
    tokens = [[words(pair[side], lower=lower) for pair in part] for part in read.parts]
    vocabulary = train_vocabulary(tokens[0], min_count, [UNKNOWN, START, STOP])
    (train, one), (valid, two), (test, three) = (as_ids(part, vocabulary) for part in tokens)
    return _Side(vocabulary, [train, valid, test], (one, two, three))


def _digest(read: _Read) -> str:
    total = hashlib.sha256()
    for part in read.parts:
        total.update("".join(f"{one}\n{two}\n" for one, two in part).encode() + b"\n\n")
    return total.hexdigest()
