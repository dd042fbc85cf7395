"""Kaldi's data folders: who says what in which file, read table by table; nothing in them is ever run.

========== =====================================================================================
wav.scp    ``RECORDING PATH``; a command (``… |``), which Kaldi would run, is refused
segments   ``UTTERANCE RECORDING START END`` in seconds; without it each recording is an utterance
text       ``UTTERANCE WORD WORD …``
utt2spk    ``UTTERANCE SPEAKER``
feats.scp  ``UTTERANCE ARK:OFFSET``
========== =====================================================================================

A folder has wav.scp or feats.scp, or both. Tables that are there name the same utterances; where they do not,
Kaldi's ``utils/fix_data_dir.sh`` mends it. Paths that are not absolute begin at the folder ``root``.

Source: Kaldi's documentation, "Data preparation".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatelab.data.speech.ark import read_ark, read_ark_at
from gatelab.data.speech.audio import Audio, Recording, open_audio
from gatelab.data.tree import read_file
from gatelab.errors import DataError

TABLES = ("wav.scp", "segments", "text", "utt2spk", "feats.scp")
OVERSHOOT = 0.5
"""Seconds by which a segment may end after its recording; it then ends with it, as in Kaldi."""


@dataclass(frozen=True)
class KaldiUtterance:
    """One utterance of a data folder; sound and features are read when they are asked for.

    Attributes
    ----------
    id
        Its name.
    speaker, text
        Empty where the folder does not say.
    wav
        The sound file, or None.
    start, stop
        Where in it, in seconds; a ``stop`` of None is its end.
    features
        An archive and the byte in it, or None.
    """

    id: str
    speaker: str = ""
    text: str = ""
    wav: Path | None = None
    start: float = 0.0
    stop: float | None = None
    features: tuple[Path, int] | None = None

    def read_sound(self) -> Recording:
        """Return the samples of the utterance.

        Raises
        ------
        DataError
            The folder has no wav.scp, or the file is missing, damaged, or ends before the utterance.
        """
        if self.wav is None:
            raise DataError(f"{self.id}: wanted a sound file, its folder has no wav.scp; try read_features")
        sound = open_audio(self.wav)
        return Recording(self.id, sound.read(*self._frames(sound)), sound.rate)

    def read_features(self) -> NDArray[np.float32]:
        """Return the features, float32 ``[frames, features]``.

        Raises
        ------
        DataError
            The folder has no feats.scp, or the archive is missing or damaged or has something else there.
        """
        if self.features is None:
            raise DataError(f"{self.id}: wanted features, its folder has no feats.scp; try read_sound")
        path, offset = self.features
        values = read_ark_at(path, offset)
        if values.ndim != 2 or not values.size or values.dtype.kind != "f":
            raise DataError(
                f"{path}, byte {offset}: wanted a matrix for {self.id}, came {values.dtype} of shape "
                f"{values.shape}; try to compute the features again"
            )
        return values.astype(np.float32, copy=False)

    def _frames(self, sound: Audio) -> tuple[int, int]:
        start = int(self.start * sound.rate)
        stop = sound.frames if self.stop is None else int(self.stop * sound.rate)
        if start >= sound.frames or stop > sound.frames + OVERSHOOT * sound.rate:
            raise DataError(
                f"{sound.name}: ends at {sound.frames / sound.rate} s, {self.id} is from {self.start} to "
                f"{self.stop} s; try utils/fix_data_dir.sh"
            )
        return start, min(stop, sound.frames)


@dataclass(frozen=True)
class KaldiData:
    """A data folder.

    Attributes
    ----------
    utterances
        In the order of their names.
    speakers
        All speakers, in order.
    source
        The folder.
    digest
        SHA-256 of its tables, 64 hexadecimal digits; not of the files that they name.
    """

    utterances: tuple[KaldiUtterance, ...]
    speakers: tuple[str, ...]
    source: str
    digest: str


def read_kaldi(folder: Path, root: Path | None = None) -> KaldiData:
    """Return what a Kaldi data folder says.

    Parameters
    ----------
    folder
        It holds wav.scp or feats.scp, and may hold segments, text and utt2spk.
    root
        Where paths that are not absolute begin; None: at the folder. In Kaldi's recipes it is the folder from
        which ``run.sh`` is called.

    Raises
    ------
    DataError
        A table is missing, malformed or names other utterances than the first, or wav.scp holds a command.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     folder = Path(name)
    ...     _ = (folder / "wav.scp").write_text("a sounds/a.wav\\nb sounds/b.flac\\n")
    ...     _ = (folder / "text").write_text("a yes no\\nb no\\n")
    ...     data = read_kaldi(folder)
    >>> [(utterance.id, utterance.text) for utterance in data.utterances]
    [('a', 'yes no'), ('b', 'no')]
    """
    tables = {name: _table(folder / name) for name in TABLES if (folder / name).exists()}
    if not tables.keys() & {"wav.scp", "feats.scp"}:
        raise DataError(f"{folder}: wanted wav.scp or feats.scp, came neither; try the path of a data folder")
    root = folder if root is None else root
    found = _sounds(folder, tables, root) if "wav.scp" in tables else {}
    if "feats.scp" in tables:
        archives = {key: _archive(folder, key, at, root) for key, at in tables["feats.scp"].items()}
        _check_same(folder, "feats.scp", archives, found or archives)
        found = {
            key: replace(found.get(key, KaldiUtterance(key)), features=archives[key]) for key in archives
        }
    for name in ("text", "utt2spk"):
        if name in tables:
            _check_same(folder, name, tables[name], found)
    said, speakers = tables.get("text", {}), tables.get("utt2spk", {})
    utterances = tuple(
        replace(found[key], text=said.get(key, ""), speaker=speakers.get(key, "")) for key in sorted(found)
    )
    return KaldiData(utterances, tuple(sorted(set(speakers.values()))), str(folder), _digest(tables))


def read_alignment(path: Path) -> dict[str, NDArray[np.int32]]:
    """Return an alignment, binary or text: for each utterance a whole number a frame, int32 ``[frames]``.

    What ``ali-to-phones --per-frame`` and ``ali-to-pdf`` write; unpack a .gz first.

    Raises
    ------
    DataError
        The archive is damaged, holds something else, or an utterance twice.
    """
    found: dict[str, NDArray[np.int32]] = {}
    for key, values in read_ark(path):
        if values.dtype != np.int32 or key in found:
            what = "twice" if key in found else f"{values.dtype} of shape {values.shape}"
            raise DataError(f"{path}: wanted whole numbers for {key}, once, came {what}; try ali-to-phones")
        found[key] = values
    return found


def _table(path: Path) -> dict[str, str]:
    """Read lines of a key and a value; a value may be empty, a key comes once."""
    try:
        lines = read_file(path, wanted="a Kaldi data folder").decode().split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, byte {error.start}: no UTF-8; try to convert it") from None
    table: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        key, _, value = line.strip().replace("\t", " ").partition(" ")
        if key in table or not (key or number == len(lines)):
            what = f"{key[:60]!r} a second time" if key else "an empty line"
            raise DataError(
                f"{path}, line {number}: wanted a new name, came {what}; try utils/fix_data_dir.sh"
            )
        if key:
            table[key] = value.strip()
    if not table:
        raise DataError(f"{path}: holds no line; try to make the data folder again")
    return table


def _sounds(folder: Path, tables: Mapping[str, dict[str, str]], root: Path) -> dict[str, KaldiUtterance]:
    """Return the utterances of wav.scp, cut by segments where there are some."""
    paths = {key: _sound(folder, key, value, root) for key, value in tables["wav.scp"].items()}
    if "segments" not in tables:
        return {key: KaldiUtterance(key, wav=path) for key, path in paths.items()}
    found = {}
    for key, value in tables["segments"].items():
        words = value.split()
        times = [_seconds(word) for word in words[1:]]
        if (
            len(words) != 3
            or words[0] not in paths
            or times[0] is None
            or not _after(times[0], words[2], times[1])
        ):
            raise DataError(
                f"{folder / 'segments'}, {key}: wanted a recording of wav.scp, its start and a later end in "
                f"seconds (-1: its end), came {value[:80]!r}; try utils/fix_data_dir.sh"
            )
        found[key] = KaldiUtterance(key, wav=paths[words[0]], start=times[0], stop=times[1])
    return found


def _seconds(word: str) -> float | None:
    return float(word) if re.fullmatch(r"[0-9]{1,7}(\.[0-9]{0,12})?", word) else None


def _after(start: float, word: str, stop: float | None) -> bool:
    """Return whether an end comes after the start, or is Kaldi's −1, the end of the recording."""
    return re.fullmatch(r"-1(\.0*)?", word) is not None if stop is None else stop > start


def _sound(folder: Path, key: str, value: str, root: Path) -> Path:
    place = f"{folder / 'wav.scp'}, {key}"
    if value.startswith("|") or value.endswith("|"):
        raise DataError(
            f"{place}: is a command ({value[:60]!r}), and commands in data are never run here; try to write "
            "its output to a file (wav-copy) and to name that"
        )
    if not value or value == "-" or "\0" in value or re.search(r"\.ark:\d+$", value):
        raise DataError(f"{place}: wanted the path of a sound file, came {value[:60]!r}; try wav-copy")
    return root / value


def _archive(folder: Path, key: str, value: str, root: Path) -> tuple[Path, int]:
    found = re.fullmatch(r"([^|\0]+):([0-9]{1,15})", value)
    if found is None:
        raise DataError(
            f"{folder / 'feats.scp'}, {key}: wanted ARCHIVE:OFFSET, without ranges and commands, came "
            f"{value[:60]!r}; try copy-feats"
        )
    return root / found[1], int(found[2])


def _check_same(folder: Path, table: str, came: Mapping[str, object], wanted: Mapping[str, object]) -> None:
    other = came.keys() ^ wanted.keys()
    if other:
        key = min(other)
        where = "only there" if key in came else "not there"
        raise DataError(
            f"{folder / table}: {len(other)} utterances are in one table only: {key[:60]!r} is {where}; try "
            "utils/fix_data_dir.sh"
        )


def _digest(tables: Mapping[str, dict[str, str]]) -> str:
    total = hashlib.sha256()
    for name, table in tables.items():
        for key in sorted(table):
            total.update(f"{name}\0{key}\0{table[key]}\0".encode())
    return total.hexdigest()
