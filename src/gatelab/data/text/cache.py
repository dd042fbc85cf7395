"""Ids of large texts, written once into the cache folder and mapped into memory from then on.

::

    CACHE/texts/KEY/
      text.json    format, vocabulary, sizes, what was asked for
      ids.bin      the ids, training first, little-endian, in the smallest type that holds them

KEY is the SHA-256 of what was asked for: the text's digest, its shares and the choices. A folder is made
under another name and then renamed, so it is there whole or not at all. It may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gatelab import settings
from gatelab.data.text.ids import Plan, Tokeniser
from gatelab.data.text.vocabulary import Ids, Vocabulary
from gatelab.errors import DataError

FORMAT = 1
STALE = 24 * 3600
"""Seconds after which a half-written folder is taken for that of a process that was killed."""
_BLOCK = 2**20


def cached(asked: Mapping[str, Any], make: Callable[[], Tokeniser]) -> tuple[Plan, Ids]:
    """Return plan and ids ``[N]`` of what was asked for, as a memory map; made where it is not there.

    Raises
    ------
    DataError
        The folder cannot be written, or what is in it is damaged.
    """
    question = json.dumps({"format": FORMAT, **asked}, sort_keys=True)
    folder = settings.cache_folder() / "texts" / hashlib.sha256(question.encode()).hexdigest()[:32]
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            _sweep(folder.parent)
            with make() as tokeniser:
                _write(folder, asked, tokeniser)
        return _read(folder)
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be written or read ({error.strerror or error}); try to make room, or another "
            f"folder in GATELAB_CACHE"
        ) from None


def _write(folder: Path, asked: Mapping[str, Any], tokeniser: Tokeniser) -> None:
    """Write the ids into a folder of another name, then give it its own."""
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
    try:
        plan = tokeniser.plan
        with (temporary / "ids.bin").open("wb") as file:
            for ids in tokeniser.ids():
                file.write(ids.astype(_stored(plan.vocabulary), copy=False).data)
            file.flush()
            os.fsync(file.fileno())
        content = {
            "format": FORMAT,
            "asked": dict(asked),
            "sizes": plan.sizes,
            "outside": plan.outside,
            "vocabulary": plan.vocabulary.to_data(),
        }
        (temporary / "text.json").write_text(json.dumps(content), encoding="utf-8")
        temporary.chmod(0o755)
        _rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _rename(temporary: Path, folder: Path) -> None:
    try:
        temporary.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was faster, and has the same
            raise


def _sweep(folder: Path) -> None:
    """Remove what processes that were killed have left behind."""
    for left in folder.glob(".*.tmp"):
        if time.time() - left.stat().st_mtime > STALE:
            shutil.rmtree(left, ignore_errors=True)


def _stored(vocabulary: Vocabulary) -> np.dtype[Any]:
    return vocabulary.dtype.newbyteorder("<")


def _read(folder: Path) -> tuple[Plan, Ids]:
    try:
        content = json.loads((folder / "text.json").read_bytes())
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError("another format")
        vocabulary = Vocabulary.from_data(content.get("vocabulary"))
        plan = Plan(vocabulary, _three(content.get("sizes")), _three(content.get("outside")))
        return plan, _map(folder / "ids.bin", plan)
    except (ValueError, RecursionError, DataError) as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(f"{folder}: is damaged ({reason}); try to delete it, it is made anew") from None


def _three(value: Any) -> tuple[int, int, int]:
    if not isinstance(value, list) or len(value) != 3 or any(type(n) is not int or n < 0 for n in value):
        raise ValueError("sizes are not three counts")
    first, second, third = value
    return first, second, third


def _map(path: Path, plan: Plan) -> Ids:
    """Return the ids as a memory map, after a look at all of them: an id too large could end a training."""
    dtype, size = _stored(plan.vocabulary), sum(plan.sizes)
    if path.stat().st_size != size * dtype.itemsize:
        raise ValueError("ids.bin has another length")
    with path.open("rb") as file:
        while len(block := np.frombuffer(file.read(_BLOCK), dtype)):
            if block.min() < 0 or block.max() >= len(plan.vocabulary):
                raise ValueError("ids.bin holds an id that no symbol has")
    return np.memmap(path, dtype, mode="r", shape=(size,))
