"""Tensors by name from files that others wrote: safetensors, and numpy's .npz."""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from gatelab.errors import DataError

LARGEST = 1 << 33  # bytes of all arrays; a network of recurrent layers is far smaller
DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error)
KINDS = "fiub"  # of numpy's types: numbers and truth values


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a ``.safetensors`` or ``.npz`` file by their names.

    Pickled arrays are refused, and no array is made that is larger than what the file holds.

    Raises
    ------
    DataError
        Where the file is missing, of another kind, damaged, or holds something else than numbers.
    """
    if path.suffix not in (".npz", ".safetensors"):
        raise DataError(f"{path}: wanted a .safetensors or .npz file, got {path.suffix or 'no ending'!r}")
    try:
        return _safetensors(path) if path.suffix == ".safetensors" else _npz(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    if path.stat().st_size > LARGEST:
        raise DataError(f"{path}: wanted at most {LARGEST:,} bytes of weights")
    try:
        return load(path.read_bytes())
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise DataError(f"{path} is no whole safetensors file ({error!s:.100})") from None


def _npz(path: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if sum(m.file_size for m in members) > LARGEST:
                raise DataError(f"{path}: wanted at most {LARGEST:,} bytes of weights")
            for member in members:
                with archive.open(member) as file:
                    array = _npy(f"{path}: {member.filename}", file, member.file_size)
                found[member.filename.removesuffix(".npy")] = torch.from_numpy(array)
    except (*DAMAGE, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise DataError(f"{path} is no whole .npz file ({error!s:.100})") from None
    return found


def _npy(name: str, file: IO[bytes], size: int) -> np.ndarray[Any, np.dtype[Any]]:
    """Read an array of ``size`` bytes, its header included; format: numpy.lib.format, versions 1 to 3."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        shape, by_columns, kind = read(file)
    except (SyntaxError, TypeError, OverflowError, MemoryError, RecursionError) as error:
        raise DataError(f"{name} has a damaged header ({error!s:.60})") from None
    if kind.kind not in KINDS:
        raise DataError(f"{name}: wanted an array of numbers, got one of {kind}; leave it out of the file")
    wanted = math.prod(shape) * kind.itemsize
    if any(n < 0 for n in shape) or wanted != size - file.tell():
        raise DataError(f"{name}: wanted {wanted:,} bytes for {shape} of {kind}, got {size - file.tell():,}")
    content = file.read(wanted + 1)
    if len(content) != wanted:
        raise DataError(f"{name}: wanted {wanted:,} bytes, got {len(content):,}")
    array = np.frombuffer(content, kind).reshape(shape, order="F" if by_columns else "C")
    return np.array(array.astype(kind.newbyteorder("="), copy=False), order="C")
