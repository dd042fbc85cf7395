"""Tensors by name from files that others wrote: safetensors, and numpy's .npz."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gatelab.errors import DataError
from gatelab.npy import read_npy

LARGEST = 1 << 33  # bytes of all arrays; a network of recurrent layers is far smaller
DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error)


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
                found[member.filename.removesuffix(".npy")] = _tensor(
                    archive.read(member), f"{path}: {member.filename}"
                )
    except (*DAMAGE, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise DataError(f"{path} is no whole .npz file ({error!s:.100})") from None
    return found


def _tensor(data: bytes, file: str) -> Tensor:
    array = read_npy(data, file)
    if array.dtype.kind in "SU":
        raise DataError(f"{file}: wanted an array of numbers, got one of texts; leave it out of the file")
    native = array.dtype.newbyteorder("=")
    try:
        return torch.from_numpy(np.array(array, native, order="C"))
    except TypeError:  # a type that torch has not, such as a float of 16 bytes
        raise DataError(f"{file}: wanted numbers that torch has, got {native}; try float32") from None
