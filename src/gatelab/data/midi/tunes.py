"""Tunes with a label, for tasks in which a whole tune is made from one word: its metre, or its kind."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from gatelab.data.midi.folder import Piece, read_pieces
from gatelab.data.midi.rolls import PAPER, Grid
from gatelab.data.midi.split import split_pieces
from gatelab.data.splits import SPLITS
from gatelab.data.tree import Tree
from gatelab.errors import ConfigError, DataError

Label = Literal["metre", "kind"]
Rare = Literal["other", "left out"]

OTHER = "other"
KINDS: Mapping[str, str] = MappingProxyType(
    {"hpps": "hornpipes", "reels": "reels", "slip": "slip jigs", "xmas": "carols"}
)
"""How the files of the Nottingham collection begin whose names do not say it themselves."""


class Tune(NamedTuple):
    """The number of a tune's class, and its roll ``[T, 88]`` of 0 and 1."""

    label: int
    roll: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class TuneData:
    """Labelled tunes, split for training, validation and test.

    Attributes
    ----------
    name
        The name of the folder or archive.
    classes
        Their names, the most frequent first, ``"other"`` last; a label is an index of it.
    train, valid, test
        Tunes; those of one split are no versions of those of another.
    rare
        How many tunes had each label that fewer than ``least`` have: they are ``"other"``, or left out.
    source
        Where they came from, and what was left out.
    digest
        SHA-256 of names and contents of all files, 64 hexadecimal digits.
    """

    name: str
    classes: tuple[str, ...]
    train: tuple[Tune, ...]
    valid: tuple[Tune, ...]
    test: tuple[Tune, ...]
    rare: Mapping[str, int]
    source: str
    digest: str


def load_tunes(
    path: str | os.PathLike[str],
    label: Label = "metre",
    least: int = 20,
    rare: Rare = "other",
    grid: Grid = PAPER,
    skip_damaged: bool = False,
) -> TuneData:
    """Return the tunes of a folder or a zip archive of MIDI files, each with its class.

    Parameters
    ----------
    path
        A folder or a zip archive, for example ``nottingham_midi_jukedeck.zip``.
    label
        ``"metre"``: the time signature that holds for most of the tune, ``"6/8"``; ``"kind"``: what the
        file's name begins with, ``"jigs"``.
    least
        A class of fewer tunes is rare.
    rare
        ``"other"``: rare tunes are one class, the last; ``"left out"``: they are not there. ``TuneData.rare``
        counts them.
    grid, skip_damaged
        As for :func:`gatelab.data.music.load_midi`, which puts tunes into the same splits.

    Raises
    ------
    ConfigError
        ``label``, ``least`` or ``rare`` is impossible.
    DataError
        The files cannot be read, there are fewer than two classes, or a split would be empty.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from gatelab.data.midi.rolls import PLAIN
    >>> from gatelab.data.midi.write import write_midi
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for number in range(6):
    ...         tune = write_midi([[60], [62 + number]], metre=(6, 8) if number % 2 else (4, 4))
    ...         _ = pathlib.Path(folder, f"jigs{number}.mid").write_bytes(tune)
    ...     tunes = load_tunes(folder, least=3, grid=PLAIN)
    >>> tunes.classes, [len(part) for part in (tunes.train, tunes.valid, tunes.test)]
    (('4/4', '6/8'), [4, 1, 1])
    """
    _check(label, least, rare)
    path = Path(path)
    found = read_pieces(Tree(path), grid, skip_damaged)
    name = metre if label == "metre" else kind
    labels = {piece.name: name(piece) for piece in found.pieces}
    classes, few = _classes(labels, least, rare, path)
    split, moved = split_pieces(found.pieces, str(path))
    parts = [
        tuple(
            Tune(classes.index(of if of in classes else OTHER), piece.music.roll)
            for piece in split[part]
            if (of := labels[piece.name]) in classes or rare == "other"
        )
        for part in SPLITS
    ]
    if not all(parts):
        raise DataError(
            f"{path}: wanted tunes of frequent classes in every split, came none; try a smaller least"
        )
    notes = [*found.left_out(), *_told(found.pieces, label, few, rare, moved)]
    source = f"{path}: {len(found.pieces):,} MIDI files" + (f" ({'; '.join(notes)})" if notes else "")
    train, valid, test = parts
    return TuneData(path.name, classes, train, valid, test, MappingProxyType(few), source, found.digest)


def metre(piece: Piece) -> str:
    """Return the time signature that holds for most of a piece, ``"6/8"``; the earlier, of two alike.

    The format says that a file without one, and what stands before the first, is in 4/4.
    """
    signs = [(0.0, 4, 4), *piece.music.metres, (piece.music.beats, 0, 0)]
    beats: dict[str, float] = defaultdict(float)
    for (start, over, under), (end, *_) in pairwise(signs):
        beats[f"{over}/{under}"] += max(0.0, end - start)
    return max(beats, key=lambda sign: beats[sign])


def kind(piece: Piece) -> str:
    """Return the kind of tune that a file's name begins with: its letters before the first that is none.

    Of the Nottingham collection: ashover, carols (xmas), hornpipes (hpps), jigs, morris, playford, reels
    (reelsa-c to reelsu-z), slip jigs (slip), waltzes.
    """
    stem = PurePosixPath(piece.name).stem.lower()
    known = next((name for start, name in KINDS.items() if stem.startswith(start)), None)
    letters = next((i for i, letter in enumerate(stem) if not letter.isalpha()), len(stem))
    return known or stem[:letters] or stem


def _check(label: str, least: int, rare: str) -> None:
    if label not in get_args(Label):
        raise ConfigError(f"label: wanted 'metre' or 'kind', came {label!r}; try 'metre'")
    if least < 1:
        raise ConfigError(f"least: wanted 1 tune or more, came {least}; try 20")
    if rare not in get_args(Rare):
        raise ConfigError(f"rare: wanted 'other' or 'left out', came {rare!r}; try 'other'")


def _classes(
    labels: Mapping[str, str], least: int, rare: Rare, path: Path
) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return the frequent classes, the most frequent first, and the rare ones with their counts."""
    counts = sorted(Counter(labels.values()).items(), key=lambda pair: (-pair[1], pair[0]))
    few = {name: count for name, count in counts if count < least}
    classes = tuple(name for name, count in counts if count >= least)
    if few and rare == "other":
        classes = (*classes, OTHER)
    if len(classes) < 2:
        came = ", ".join(f"{name} {count:,}" for name, count in counts[:6])
        raise DataError(
            f"{path}: wanted two classes of {least} tunes or more, came {came}; try a smaller least"
        )
    return classes, few


def _told(
    pieces: tuple[Piece, ...], label: Label, few: Mapping[str, int], rare: Rare, moved: int
) -> list[str]:
    """Return what was done to tunes, as parts of a sentence."""
    fate = "put together as other" if rare == "other" else "left out"
    unmarked = sum(not piece.music.metres for piece in pieces) if label == "metre" else 0
    told = {
        f"tunes of {len(few)} rare classes {fate}": sum(few.values()),
        "tunes without a time signature read as 4/4": unmarked,
        "exact copies moved to the split of their originals": moved,
    }
    return [f"{count:,} {what}" for what, count in told.items() if count]
