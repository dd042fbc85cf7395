"""Pieces of music put into train, valid and test so that none of them leaks into another."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from gatelab.data.midi.folder import Piece
from gatelab.data.splits import NAMES, SPLITS
from gatelab.errors import DataError

SHARES = (0.70, 0.15, 0.15)
WINDOW = 16
"""Successive intervals of the melody that two versions of one tune share."""
LIVELY = 5
"""The fewest different intervals in a window that tell tunes apart: scales and trills have fewer."""

VARIANT = re.compile(
    r"([ ._-]{1,3}(v|ver|version|var|alt|take|copy)?[ ._-]{0,2}\d{0,2}|[ ._-]{0,3}\(\d{1,3}\))$",
    re.IGNORECASE,
)
"""The end of a file's name that marks a version or a movement: ``_2``, ``-v2``, `` (1)``, ``_alt``."""
VERSIONS = 9
"""The most versions of a tune: where more names differ by a mark alone, it numbers tunes."""

Split = dict[str, list[Piece]]


def split_pieces(pieces: Sequence[Piece], place: str) -> tuple[Split, int]:
    """Return the pieces of each split, and how many exact copies were moved to one of them.

    1. Where folders are called train, valid (validation, val, dev) and test, they are the splits. A piece
       that is equal to one of an earlier split, step for step, is moved there.
    2. Else the pieces are put into groups, and whole groups into 70 % train, 15 % valid and 15 % test, in an
       order that the SHA-256 of the group's first name makes. Two pieces are of one group if

       - their names are equal without the mark of a version (``waltz_2``, ``waltz-v3``, ``waltz (1)``), and
         at most nine are; a number that follows a letter is no such mark, ``jigs10`` is the tenth jig; or
       - their melodies, the highest notes, share 16 successive intervals, at least five of them different.

       In the 1,034 tunes of the Nottingham collection, 61 groups hold 127 tunes; all others stand alone.

    Parameters
    ----------
    pieces
        In the order of their names.
    place
        The folder, for messages.

    Raises
    ------
    DataError
        Some pieces are in split folders and others are not, a split would be empty, or there are fewer than
        three groups.

    Examples
    --------
    >>> import numpy as np
    >>> from gatelab.data.midi.rolls import MidiRoll
    >>> rolls = [np.eye(88, dtype=np.uint8)[[39, 41 + n]] for n in range(4)]
    >>> music = [MidiRoll(roll, 0, 0, 0, 0, (), 1.0) for roll in rolls]
    >>> names = ["a_1.mid", "a_2.mid", "b.mid", "c.mid"]
    >>> split, _ = split_pieces([Piece(*pair) for pair in zip(names, music)], "four")
    >>> [[piece.name for piece in split[part]] for part in ("train", "valid", "test")]
    [['b.mid'], ['c.mid'], ['a_1.mid', 'a_2.mid']]
    """
    parts = [_folder(piece.name) for piece in pieces]
    split, moved = _by_folder(pieces, parts, place) if any(parts) else (_by_group(pieces, place), 0)
    empty = [name for name in SPLITS if not split[name]]
    if empty:
        raise DataError(
            f"{place}: wanted pieces in train, valid and test, came none in {empty[0]}; try more files"
        )
    return split, moved


def _folder(name: str) -> str | None:
    """Return the split that the folders of a name say, the innermost first."""
    folders = reversed(PurePosixPath(name).parts[:-1])
    return next((SPLITS[NAMES[part.lower()]] for part in folders if part.lower() in NAMES), None)


def _by_folder(pieces: Sequence[Piece], parts: Sequence[str | None], place: str) -> tuple[Split, int]:
    outside = [piece.name for piece, part in zip(pieces, parts, strict=True) if part is None]
    if outside:
        raise DataError(
            f"{place}: wanted every piece in a folder train, valid or test, came {outside[0]}; "
            "try to move it, or to rename the folders"
        )
    split: Split = {name: [] for name in SPLITS}
    first: dict[bytes, str] = {}
    moved = 0
    for name in SPLITS:
        for piece in (piece for piece, part in zip(pieces, parts, strict=True) if part == name):
            home = first.setdefault(_print(piece.music.roll), name)
            moved += home != name
            split[home].append(piece)
    return split, moved


def _print(roll: NDArray[np.uint8]) -> bytes:
    """Return what two equal rolls share."""
    return hashlib.sha256(roll.tobytes()).digest()


def _by_group(pieces: Sequence[Piece], place: str) -> Split:
    """Fill each split with groups in a random but fixed order, that in which most is missing first."""
    groups = _groups(pieces)
    groups.sort(key=lambda group: hashlib.sha256(group[0].name.encode()).digest())
    if len(groups) < len(SPLITS):
        raise DataError(
            f"{place}: wanted three or more tunes that are no versions of each other, came {len(groups)}; "
            "try more files, or folders called train, valid and test"
        )
    split: Split = {name: [] for name in SPLITS}
    for number, group in enumerate(groups):
        missing = [share * len(pieces) - len(split[n]) for share, n in zip(SHARES, SPLITS, strict=True)]
        part = number if number < len(SPLITS) else int(np.argmax(missing))
        split[SPLITS[part]] += group
    for part_pieces in split.values():
        part_pieces.sort(key=lambda piece: piece.name)
    return split


def _groups(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Return the pieces in groups: two that share a mark are in one, also by way of a third."""
    parent = list(range(len(pieces)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = index = parent[parent[index]]
        return index

    owner: dict[Hashable, int] = {}
    names = Counter(_base(piece.name) for piece in pieces)
    for index, piece in enumerate(pieces):
        named = [_base(piece.name)] if names[_base(piece.name)] <= VERSIONS else []
        for mark in (*named, *_marks(piece)):
            first = owner.setdefault(mark, index)
            if first != index:
                one, other = sorted((root(index), root(first)))
                parent[other] = one
    groups: dict[int, list[Piece]] = {}
    for index, piece in enumerate(pieces):
        groups.setdefault(root(index), []).append(piece)
    return list(groups.values())


def _base(name: str) -> str:
    """Return a file's name without its ending and the mark of a version."""
    path = PurePosixPath(name)
    return str(path.parent / (VARIANT.sub("", path.stem) or path.stem)).lower()


def _marks(piece: Piece) -> Iterator[Hashable]:
    """Yield what a piece shares with its versions: equal music, windows of the melody's intervals."""
    yield _print(piece.music.roll)
    moves = melody_intervals(piece.music.roll).tobytes()
    for start in range(len(moves) - WINDOW + 1):
        window = moves[start : start + WINDOW]
        if len(set(window)) >= LIVELY:
            yield window


def melody_intervals(roll: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Return the moves of the highest note in semitones; silence and repeated notes do not count.

    >>> melody_intervals(np.eye(88, dtype=np.uint8)[[39, 39, 43, 41]])
    array([ 4, -2], dtype=int8)
    """
    sounding = roll[roll.any(axis=1)]
    highest = roll.shape[1] - 1 - sounding[:, ::-1].argmax(axis=1)
    moves: NDArray[np.int8] = np.diff(highest).astype(np.int8)
    moves = moves[moves != 0]
    return moves
