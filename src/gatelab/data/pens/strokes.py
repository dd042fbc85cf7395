"""Online handwriting: pen trajectories with what was written, split by page or form."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatelab.data.pens.sets import PenSet, read_pen_set
from gatelab.data.pens.trajectories import PenScale, measure_scale, pen_features
from gatelab.data.places import find
from gatelab.data.tree import Tree
from gatelab.errors import ConfigError, DataError, near_misses

KNOWN = {
    "gw": (
        "George Washington words",
        "gw_online_handwriting",
        ("gw-online-dataset.zip", "gw-online-dataset"),
        "github.com/cwiep/gw-online-dataset",
    ),
    "iam-ondb": (
        "IAM-OnDB",
        "iam_ondb",
        ("lineStrokes-all", "lineStrokes"),
        "fki.tic.heia-fr.ch/databases/iam-on-line-handwriting-database, unpack it",
    ),
}
"""Title, folder, files and home of the sets that have a name."""


@dataclass(frozen=True)
class Writing:
    """One word or line.

    Attributes
    ----------
    id, group, text
        Its name, its page or form, and what was written.
    features
        ``[T, 4]`` float32 of :func:`gatelab.data.pens.trajectories.pen_features`, scaled.
    """

    id: str
    group: str
    text: str
    features: NDArray[np.float32]


@dataclass(frozen=True)
class StrokeData:
    """One set of online handwriting.

    Attributes
    ----------
    name, title
        Its short name and its name in tables; of a folder given by its path, the folder's name.
    train, valid, test
        What was written, in the order of the files' names; no group is in two splits.
    characters
        The characters of the training texts in the order of Unicode: the vocabulary. A blank for CTC is not
        among them.
    unknown
        How often characters outside the vocabulary stand in the texts of valid and test.
    scale
        What movements and times were divided by, measured on train.
    split
        Where the split comes from, in words.
    remarks
        What was left out or mended, each with its count, in sentences.
    source, digest
        Path, and SHA-256 over the names and contents of the files that were read.
    """

    name: str
    title: str
    train: tuple[Writing, ...]
    valid: tuple[Writing, ...]
    test: tuple[Writing, ...]
    characters: tuple[str, ...]
    unknown: dict[str, int]
    scale: PenScale
    split: str
    remarks: tuple[str, ...]
    source: str
    digest: str

    def encode(self, text: str) -> NDArray[np.int64]:
        """Return the places of a text's characters in the vocabulary ``[L]``.

        Characters outside of it cannot be learned and are left out; ``unknown`` counts them. An error rate is
        measured on ``text`` itself, where they count as errors.
        """
        places = {character: place for place, character in enumerate(self.characters)}
        return np.array([places[c] for c in text if c in places], dtype=np.int64)


def load_strokes(
    name_or_path: str | os.PathLike[str],
    valid: Sequence[str] | None = None,
    test: Sequence[str] | None = None,
    every: int = 1,
) -> StrokeData:
    """Return a set of online handwriting by its name, or from a folder or zip archive by its path.

    1. ``"gw"`` and ``"iam-ondb"`` are looked for in ``$GATELAB_DATA/gw_online_handwriting`` and
       ``$GATELAB_DATA/iam_ondb``, ``$GATELAB_DATA``, and in the cache folder.
    2. Files ``…-NN.xml`` are read as :mod:`gatelab.data.pens.iam_ondb`, else files ``PAGE/…_word.txt`` as
       :mod:`gatelab.data.pens.words`: own trajectories, too.
    3. The split is, in this order: the groups ``valid`` and ``test``; the set files of IAM-OnDB's task 1 if
       they are there (validation is its two validation sets together, as in Greff et al. 2015); for the words
       of George Washington the pages 3060306 and 3070307 for validation, 3080308 and 3090309 for test; else
       a tenth of the groups each.
    4. Vocabulary and scale are measured on the training split.

    Parameters
    ----------
    name_or_path
        ``"gw"``, ``"iam-ondb"``, or the path of a folder or a zip archive.
    valid, test
        Names of groups (pages, forms), both or neither.
    every
        Keep each ``every``-th point of a stroke; 2 is what Greff et al. did with IAM-OnDB.

    Raises
    ------
    ConfigError
        No set has this name, or a group of ``valid`` and ``test`` is not there.
    DataError
        The files are not to be had or broken, with file and line.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from gatelab.data.pens.strokes import load_strokes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for page in ("p1", "p2", "p3"):
    ...         pathlib.Path(folder, page).mkdir()
    ...         _ = pathlib.Path(folder, page, "1_it.txt").write_text("it\\n1 1 0\\n1 5 1\\n4 5 1\\n")
    ...     words = load_strokes(folder, valid=["p2"], test=["p3"])
    >>> words.train[0].text, words.train[0].features.shape, words.characters
    ('it', (3, 4), ('i', 't'))

    Notes
    -----
    K. Greff et al., "LSTM: A Search Space Odyssey", arXiv:1503.04069, section III; A. Graves et al., "A Novel
    Connectionist System for Unconstrained Handwriting Recognition", IEEE PAMI 31(5), 2009.
    """
    if every < 1:
        raise ConfigError(f"pen trajectories: wanted every of at least 1, came {every}; try 1 or 2")
    asked = os.fspath(name_or_path)
    known = KNOWN.get(asked.lower())
    if known is None:
        path = Path(os.path.expanduser(asked))
        _check_path(asked, path)
        name = title = path.name
    else:
        name, title = asked.lower(), known[0]
        path = find(*known)
        path = path if path.suffix == ".zip" or name == "gw" else path.parent
    return _assembled(name, title, path, read_pen_set(Tree(path), valid, test), every)


def _check_path(asked: str, path: Path) -> None:
    """Refuse what is neither a known name nor looks like a path."""
    if not path.exists() and os.sep not in asked and not asked.lower().endswith(".zip"):
        close = near_misses(asked, KNOWN)
        known = ", ".join(KNOWN)
        raise ConfigError(
            f"no handwriting is called {asked!r}{close}; known are {known}, or the path of a folder"
        )


def _assembled(name: str, title: str, path: Path, found: PenSet, every: int) -> StrokeData:
    """Measure vocabulary and scale on train, and turn all trajectories into features."""
    if not all(found.splits.values()):
        empty = next(split for split, written in found.splits.items() if not written)
        raise DataError(f"{path}: the split {empty} is empty ({found.split}); try other groups")
    features = {name: [pen_features(t, every) for t in split] for name, split in found.splits.items()}
    scale = measure_scale(features["train"])
    characters = tuple(sorted({c for trajectory in found.splits["train"] for c in trajectory.text}))
    others = Counter(c for split in ("valid", "test") for t in found.splits[split] for c in t.text)
    unknown = {c: others[c] for c in sorted(others.keys() - set(characters))}

    def writings(split: str) -> tuple[Writing, ...]:
        written = zip(found.splits[split], features[split], strict=True)
        return tuple(Writing(t.id, t.group, t.text, scale.apply(x)) for t, x in written)

    train, valid, test = (writings(split) for split in ("train", "valid", "test"))
    return StrokeData(
        name, title, train, valid, test, characters, unknown, scale, found.split, found.remarks,
        str(path), found.digest,
    )  # fmt: skip
