"""The files of a text: which of their bytes are for training, validation and test, read block by block.

A text is one file, cut in order; a folder or a zip archive of ``.txt`` files, each of which goes to one part
as a whole; or three files, one for each part.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import IO

from gatelab.data.splits import NAMES, SPLITS
from gatelab.data.tree import Tree
from gatelab.errors import ConfigError, DataError

BLOCK = 2**20
"""Bytes read at a time; what is held in memory is some ten times as much, whatever the length of the text."""
ARCHIVE_LIMIT = 2**35
"""The most bytes that a zip archive may say to hold; what lies in a folder is there already."""

Shares = tuple[int, int, int]


@dataclass(frozen=True)
class TextFile:
    """One file of a text.

    Attributes
    ----------
    place, name
        What a message and what the digest calls it.
    shares
        How many of its bytes, in order, are for training, validation and test; their sum is its size.
    open
        Opens it for reading.
    own
        Whether it is, as a whole, the part that its name or its place among three paths says.
    """

    place: str
    name: str
    shares: Shares
    open: Callable[[], AbstractContextManager[IO[bytes]]]
    own: bool = False

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield (part, bytes) from the beginning to the end; part is 0, 1 or 2, and no block is in two.

        Raises
        ------
        DataError
            It cannot be read, or is no longer as long as it was.
        """
        try:
            with self.open() as file:
                for part, share in enumerate(self.shares):
                    for start in range(0, share, BLOCK):
                        yield part, self._exactly(file, min(BLOCK, share - start))
                if file.read(1):
                    raise self._changed()
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DataError(f"{self.place}: cannot be read ({reason}); try to fetch it again") from None

    def digest(self) -> bytes:
        """Return the SHA-256 of the bytes."""
        total = hashlib.sha256()
        for _, block in self.blocks():
            total.update(block)
        return total.digest()

    def _exactly(self, file: IO[bytes], size: int) -> bytes:
        block = file.read(size)
        if len(block) < size:
            raise self._changed()
        return block

    def _changed(self) -> DataError:
        size = sum(self.shares)
        return DataError(f"{self.place}: wanted {size:,} bytes, came another number; is it being written?")


def digest(files: Sequence[TextFile]) -> str:
    """Return the SHA-256 of one file; of several, that of their names and contents in order."""
    if len(files) == 1:
        return files[0].digest().hex()
    total = hashlib.sha256()
    for file in files:
        total.update(file.name.encode(errors="surrogateescape") + b"\0" + file.digest())
    return total.hexdigest()


def bytes_as_text(data: bytes, place: str, fractions: Sequence[float]) -> tuple[TextFile, ...]:
    """Return a text that lies in memory, cut in order."""
    return (TextFile(place, place, cut(len(data), fractions), partial(io.BytesIO, data)),)


def find_files(path: Path, fractions: Sequence[float]) -> tuple[TextFile, ...]:
    """Return the files of a text at a path, with their bytes shared out.

    1. A plain file is cut in order, at the byte: a symbol that straddles the cut belongs to the later part.
    2. A folder or a zip archive that holds exactly three ``.txt`` files whose names end in train, valid (or
       val, dev) and test: one part each.
    3. Else, with n ``.txt`` files (an archive of one file may call it as it likes): in the order of their
       names, each as a whole to one part, so that the parts come close to the fractions in bytes.

    Raises
    ------
    DataError
        It is not there, holds no text, or too few files to share out.
    """
    packed = path.suffix.lower() == ".zip"
    if not packed and not path.is_dir():
        return (_of_path(path, lambda size: cut(size, fractions)),)
    tree = Tree(path)
    names = tree.names(".txt") or (tree.names() if packed and len(tree.names()) == 1 else [])
    if not names:
        raise DataError(f"{path}: wanted files called .txt, came none; try the path of one file")
    sizes = [tree.size(name) for name in names]
    if packed and sum(sizes) > ARCHIVE_LIMIT:
        raise DataError(f"{path}: says that it holds {sum(sizes) >> 30:,} GiB; try to unpack it")
    if named := _named_parts(names):
        found = (_of_tree(tree, name, whole(tree.size(name), part)) for part, name in enumerate(named))
        return tuple(replace(file, own=True) for file in found)
    if len(names) == 1:
        return (_of_tree(tree, names[0], cut(sizes[0], fractions)),)
    parts = _deal(sizes, fractions, path)
    return tuple(_of_tree(tree, n, whole(s, p)) for n, s, p in zip(names, sizes, parts, strict=True))


def three_files(paths: Sequence[Path]) -> tuple[TextFile, ...]:
    """Return the files for training, validation and test, in this order."""
    if len(paths) != len(SPLITS):
        raise ConfigError(f"text: wanted one path, or three for {', '.join(SPLITS)}, came {len(paths)}")
    found = (
        _of_path(path, lambda size, part=part: whole(size, part))  # type: ignore[misc]
        for part, path in enumerate(paths)
    )
    return tuple(replace(file, own=True) for file in found)


def has_own_parts(files: Sequence[TextFile]) -> bool:
    """Return whether these are three files whose names, or places among three paths, fix the parts."""
    return all(file.own for file in files)


def cut(size: int, fractions: Sequence[float]) -> Shares:
    """Return how many of ``size`` bytes, in order, are for training, validation and test.

    >>> cut(101, (0.8, 0.1, 0.1))
    (80, 10, 11)
    """
    first, second = (int(size * sum(fractions[:n]) + 1e-9) for n in (1, 2))
    return first, second - first, size - second


def whole(size: int, part: int) -> Shares:
    """Return the shares of a file that is for one part only."""
    return size * (part == 0), size * (part == 1), size * (part == 2)


def _of_path(path: Path, share: Callable[[int], Shares]) -> TextFile:
    try:
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read ({reason}); try the path of a text") from None
    if not path.is_file():
        raise DataError(f"{path}: cannot be read (no plain file); try the path of a text")
    return TextFile(str(path), path.name, share(size), lambda: path.open("rb"))


def _of_tree(tree: Tree, name: str, shares: Shares) -> TextFile:
    return TextFile(tree.place(name), name, shares, partial(tree.open, name))


def _named_parts(names: Sequence[str]) -> list[str]:
    """Return three names in the order of the parts, where they name them; else nothing."""
    found = {part: name for name in names for end, part in NAMES.items() if _ends_in(name, end)}
    return [found[part] for part in range(3)] if len(names) == len(found) == 3 else []


def _ends_in(name: str, ending: str) -> bool:
    """Return whether this is the last word of a file's name: ``ptb.train.txt``, ``my-train.txt``."""
    stem = PurePosixPath(name.lower()).stem
    return stem.endswith(ending) and not stem.removesuffix(ending)[-1:].isalpha()


def _deal(sizes: Sequence[int], fractions: Sequence[float], path: Path) -> list[int]:
    """Return the part of each file: that in which its middle lies, but no wanted part goes without a file."""
    wanted = [part for part, fraction in enumerate(fractions) if fraction > 0]
    if len(sizes) < len(wanted):
        raise DataError(
            f"{path}: wanted at least {len(wanted)} files to share out, came {len(sizes)}; try to join them"
        )
    ends = [sum(fractions[: part + 1]) * sum(sizes) for part in wanted]
    ranks: list[int] = []
    for place, (size, end) in enumerate(zip(sizes, accumulate(sizes), strict=True)):
        rank = sum(end - size / 2 > bound for bound in ends[:-1])
        rank = min(rank, ranks[-1] + 1 if ranks else 0)  # none is left out
        ranks.append(max(rank, len(wanted) - len(sizes) + place))  # as many files are left as parts
    return [wanted[rank] for rank in ranks]
