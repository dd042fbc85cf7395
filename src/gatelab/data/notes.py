"""Two file formats of polyphonic music, read at the border and checked there.

- **MATLAB 5** (``.mat``): cell arrays ``traindata``, ``validdata``, ``testdata`` of matrices ``[T, 88]`` of 0
  and 1; column k is MIDI note k + 21.
- **JSON** (``.json``, or compressed ``.json.gz``): an object with the keys ``train``, ``valid``, ``test``;
  each a list of sequences, a sequence a list of time steps, a step the list of the MIDI notes that sound.
  Other keys may stand beside them (provenance, names). It is the structure of the original pickles,
  without pickle.

The format is told from the bytes, not from the name. Pickles are never opened.
"""

from __future__ import annotations

import json
import reprlib
import zlib
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatelab.data import mat5
from gatelab.data.splits import SPLITS
from gatelab.errors import DataError

SHAPE = '{"train": [[[60, 64], [62]]], "valid": …, "test": …}'
"""The smallest picture of the JSON format: a split, a sequence, a step, a MIDI note."""
KEYS = 88
LOWEST, HIGHEST = 21, 108
"""MIDI numbers of the outer keys of a piano, A0 and C8."""

TEXT_LIMIT = 32 * 2**20
"""The most bytes of JSON; the largest of the four known sets has 6 million."""
STEP_LIMIT = 2_000_000
"""The most time steps in a file; the largest of the four known sets has 392,296."""

Sequences = tuple[NDArray[np.uint8], ...]

FOREIGN = {
    b"\x89HDF": "an HDF5 file (MATLAB 7.3?); try save('-v7') in MATLAB",
    b"\x80": "a pickle, which could run any program when opened; try the .mat file of the same set",
    b"PK\x03\x04": "a zip archive; try the file inside it",
    b"MThd": "one MIDI file; try a folder or a zip archive of them",
    b"\xff\xd8\xff": "a JPEG picture; try to fetch the file again",
    b"\x89PNG": "a PNG picture; try to fetch the file again",
    b"<": "a web page or XML; try to fetch the file again",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself; try git lfs pull",
}


def read_music(data: bytes, file: str) -> dict[str, Sequences]:
    """Return the three splits of a music file.

    Parameters
    ----------
    data
        The whole file, in one of the two formats above.
    file
        Its name, for messages.

    Returns
    -------
    dict
        ``train``, ``valid`` and ``test``: sequences ``[T, 88]`` of 0 and 1 in uint8, T ≥ 1 time steps.

    Raises
    ------
    DataError
        Whatever is wrong with the file, with its place: split, sequence (from 0), step (from 0).

    Examples
    --------
    >>> splits = read_music(b'{"train": [[[60, 64], []]], "valid": [[[60]]], "test": [[[108]]]}', "two.json")
    >>> splits["train"][0].shape, splits["train"][0][0].nonzero()[0] + 21
    ((2, 88), array([60, 64]))
    """
    if data[:2] == b"\x1f\x8b":
        splits = _read_json(_unzip(data, file), file)
    elif data[:64].lstrip()[:1] in (b"{", b"["):
        splits = _read_json(data, file)
    elif data[126:128] in (b"IM", b"MI"):
        splits = _read_mat(data, file)
    else:
        raise DataError(f"{file}: {_foreign(data)}")
    return {name: _checked_split(splits[name], f"{file}: {name}") for name in SPLITS}


def _foreign(data: bytes) -> str:
    """Say what the bytes are, if not music."""
    if not data:
        return "the file is empty; try to fetch it again"
    wanted = "wanted music as MATLAB 5 (.mat) or JSON (.json, .json.gz), came "
    known = (what for magic, what in FOREIGN.items() if data.startswith(magic))
    return wanted + next(known, f"a file that begins with {data[:8]!r}; try to fetch it again")


def _checked_split(sequences: list[NDArray[np.uint8]], place: str) -> Sequences:
    """Refuse an empty split and sequences without steps."""
    if not sequences:
        raise DataError(f"{place}: the split is empty, wanted at least one sequence; try another file")
    for index, sequence in enumerate(sequences):
        if not len(sequence):
            raise DataError(f"{place}, sequence {index}: wanted at least 1 step, came 0; try to remove it")
    return tuple(sequences)


# MATLAB


def _read_mat(data: bytes, file: str) -> dict[str, list[NDArray[np.uint8]]]:
    names = {split: f"{split}data" for split in SPLITS}
    cells = mat5.read_cells(data, file, names.values())
    missing = [name for name in names.values() if name not in cells]
    if missing:
        wanted = ", ".join(names.values())
        raise DataError(f"{file}: wanted the variables {wanted}, {missing[0]} is missing; try another file")
    _bound_steps(sum(len(matrix) for found in cells.values() for matrix in found), file)
    return {
        split: [_piano_roll(m, f"{file}: {split}, sequence {i}") for i, m in enumerate(cells[name])]
        for split, name in names.items()
    }


def _piano_roll(matrix: np.ndarray, place: str) -> NDArray[np.uint8]:
    """Return a matrix as ``[T, 88]`` in uint8 after checking shape and values."""
    if matrix.size and (matrix.ndim != 2 or matrix.shape[1] != KEYS):
        came = " x ".join(map(str, matrix.shape))
        turned = " (transposed?)" if matrix.ndim == 2 and matrix.shape[0] == KEYS else ""
        raise DataError(f"{place}: wanted a matrix T x {KEYS}, came {came}{turned}; try one row a time step")
    legal = (matrix == 0) | (matrix == 1)
    if not legal.all():
        step, key = np.argwhere(~legal)[0]
        raise DataError(
            f"{place}, step {step}: wanted 0 or 1, came {matrix[step, key]} in column {key} "
            f"(MIDI {key + LOWEST}); try to write 1 for a note that sounds, else 0"
        )
    return np.ascontiguousarray(matrix, dtype=np.uint8).reshape(-1, KEYS)


# JSON


def _unzip(data: bytes, file: str) -> bytes:
    """Return the text of a gzip file of one member, at most TEXT_LIMIT bytes."""
    stream = zlib.decompressobj(wbits=31)
    try:
        text = stream.decompress(data, TEXT_LIMIT + 1)
    except zlib.error as error:
        raise DataError(f"{file}: damaged gzip data ({error}); try to fetch the file again") from None
    _bound_text(text, file)
    if not stream.eof or stream.unused_data:
        came = "more bytes after its end" if stream.eof else "a truncated file"
        raise DataError(f"{file}: wanted one whole gzip member, came {came}; try to fetch the file again")
    return text


def _bound_text(text: bytes, file: str) -> None:
    if len(text) > TEXT_LIMIT:
        limit = TEXT_LIMIT >> 20
        raise DataError(f"{file}: wanted at most {limit} MiB of JSON, came more; try a smaller set")


def _bound_steps(steps: int, file: str) -> None:
    if steps > STEP_LIMIT:
        raise DataError(f"{file}: wanted at most {STEP_LIMIT} time steps, came {steps}; try a smaller set")


def _read_json(text: bytes, file: str) -> dict[str, list[NDArray[np.uint8]]]:
    _bound_text(text, file)
    try:
        content = json.loads(text)
    except RecursionError:
        raise DataError(f"{file}: JSON nested too deeply, wanted four levels; try another file") from None
    except ValueError as error:  # not JSON, not UTF-8, or a number of thousands of digits
        reason = " ".join(str(error).split())[:120]
        raise DataError(f"{file}: not JSON ({reason}); try to fetch the file again") from None
    if not isinstance(content, dict) or any(split not in content for split in SPLITS):
        raise _misshapen(file, f"an object with the keys {', '.join(SPLITS)}", content)
    for split in SPLITS:
        _check_lists(content[split], f"{file}: {split}")
    _bound_steps(sum(len(sequence) for split in SPLITS for sequence in content[split]), file)
    return {
        split: [_strike(steps, f"{file}: {split}, sequence {i}") for i, steps in enumerate(content[split])]
        for split in SPLITS
    }


def _check_lists(sequences: Any, place: str) -> None:
    """Refuse a split that is not a list of lists of lists."""
    if not isinstance(sequences, list):
        raise _misshapen(place, "a list of sequences", sequences)
    for index, steps in enumerate(sequences):
        if not isinstance(steps, list):
            raise _misshapen(f"{place}, sequence {index}", "a list of time steps", steps)
        if set(map(type, steps)) - {list}:
            step = next(number for number, notes in enumerate(steps) if not isinstance(notes, list))
            where = f"{place}, sequence {index}, step {step}"
            raise _misshapen(where, "a list of MIDI notes", steps[step])


def _misshapen(place: str, wanted: str, came: Any) -> DataError:
    return DataError(f"{place}: wanted {wanted}, came {_shown(came)}; try a file of the shape {SHAPE}")


def _strike(steps: list[list[Any]], place: str) -> NDArray[np.uint8]:
    """Return lists of notes as a piano roll ``[T, 88]``."""
    notes = list(chain.from_iterable(steps))
    if set(map(type, notes)) - {int} or (notes and not LOWEST <= min(notes) <= max(notes) <= HIGHEST):
        _check_notes(steps, place)
    roll = np.zeros((len(steps), KEYS), np.uint8)
    rows = np.repeat(np.arange(len(steps)), [len(step) for step in steps])
    roll[rows, np.array(notes, dtype=np.intp) - LOWEST] = 1
    return roll


def _check_notes(steps: list[list[Any]], place: str) -> None:
    """Refuse the first note that is not a whole number of the piano's range; 60.0 is whole."""
    for number, step in enumerate(steps):
        for note in step:
            if type(note) not in (int, float) or not LOWEST <= note <= HIGHEST or note % 1:
                wanted = f"wanted whole MIDI notes {LOWEST} to {HIGHEST}"
                raise DataError(f"{place}, step {number}: {wanted}, came {_shown(note)}; try to leave it out")


def _shown(value: Any) -> str:
    """Return a short, one-line picture of any value, however deep or long."""
    if isinstance(value, dict):
        value = list(value)[:8]
        return f"an object with the keys {reprlib.repr(value)}"
    short = reprlib.Repr()
    short.maxlevel, short.maxlist, short.maxstring, short.maxother, short.maxlong = 2, 3, 40, 40, 40
    return short.repr(value)
