"""The files of a folder or of a zip archive, read alike, and nothing outside of it.

Archives are hostile until shown otherwise: names that point outside, links, encrypted members and members
larger than is asked for are refused, and nothing is ever unpacked to disk.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from gatelab.errors import DataError

FILE_LIMIT = 256 * 2**20
"""The most bytes of one file, unless a reader says otherwise."""
MEMBERS = 1_000_000
"""The most files of a folder or an archive."""


def read_file(path: Path, limit: int | None = None, wanted: str = "a file that can be read") -> bytes:
    """Return the bytes of a plain file of at most ``limit`` bytes, :data:`FILE_LIMIT` where it is None.

    Raises
    ------
    DataError
        It is missing, no plain file, or too large; ``wanted`` says in the message what to try.
    """
    limit = FILE_LIMIT if limit is None else limit
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise DataError(f"{path}: cannot be read (no plain file); try {wanted}")
        if found.st_size > limit:
            came = found.st_size >> 20
            raise DataError(f"{path}: wanted at most {limit >> 20} MiB, came {came}; try a smaller file")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read ({reason}); try {wanted}") from None


def entry(name: str, data: bytes) -> bytes:
    """Return what a file adds to the digest of a set: its name, and the SHA-256 of what it holds."""
    return name.encode(errors="surrogateescape") + b"\0" + hashlib.sha256(data).digest()


class Tree:
    """The plain files below a folder, or in a zip archive, by their names in it.

    Parameters
    ----------
    path
        A folder, or a file in zip format.

    Raises
    ------
    DataError
        It is neither; or the archive is damaged or points outside itself.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from gatelab.data.tree import Tree
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "a.txt").write_text("one")
    ...     tree = Tree(pathlib.Path(folder))
    ...     tree.names(".txt"), tree.read("a.txt")
    (['a.txt'], b'one')
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.is_dir():
            self._archive: zipfile.ZipFile | None = None
            self._names = list(_below(path))
        else:
            self._archive = _opened(path)
            self._names = list(_members(path, self._archive))
        self._names.sort()
        self._known = frozenset(self._names)

    def names(self, *endings: str) -> list[str]:
        """Return the names, in order, that end in one of ``endings``, in any case; all where none is given.

        Hidden files, and what macOS adds to archives, are left out.
        """
        lower = tuple(e.lower() for e in endings)
        return [n for n in self._names if not lower or n.lower().endswith(lower)]

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def place(self, name: str) -> str:
        """Return what a message calls this file: in one line, whatever its name holds."""
        return f"{self.path}/{''.join(c if c.isprintable() else '�' for c in name)}"

    def size(self, name: str) -> int:
        """Return the bytes of a file."""
        if self._archive is None:
            return (self.path / name).stat().st_size
        return self._archive.getinfo(name).file_size

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Return the bytes of one file.

        Raises
        ------
        DataError
            There is no such file, it is larger than ``limit``, or damaged.
        """
        if name not in self:
            raise DataError(f"{self.place(name)}: is not there; {self.path} holds {_some(self._names)}")
        if self._archive is None:
            return read_file(self.path / name, limit)
        limit = FILE_LIMIT if limit is None else limit
        data = self.head(name, limit + 1)
        if len(data) > limit:
            raise DataError(f"{self.place(name)}: holds more than {limit >> 20} MiB; try a smaller file")
        return data

    def head(self, name: str, count: int) -> bytes:
        """Return the first ``count`` bytes of one file, or all where it has fewer; damage is a DataError."""
        with self.open(name) as file:
            try:
                return file.read(count)
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
                raise DataError(f"{self.place(name)}: damaged ({error}); try to fetch it again") from None

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open one file for reading; of an archive, the member as it unpacks."""
        try:
            file = (self.path / name).open("rb") if self._archive is None else self._archive.open(name)
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise DataError(f"{self.place(name)}: cannot be read ({error}); try to fetch it again") from None
        with file:
            yield file

    def digest(self, names: list[str] | None = None) -> str:
        """Return the SHA-256 of names and contents of these files, all where None: a name for the data."""
        total = hashlib.sha256()
        for name in self._names if names is None else names:
            total.update(entry(name, self.read(name, 2**40)))
        return total.hexdigest()


def _below(folder: Path) -> Iterator[str]:
    """Yield the plain files below a folder, links to elsewhere left out."""
    count = 0
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in files:
            path = Path(place, name)
            if not name.startswith(".") and not path.is_symlink() and path.is_file():
                count += 1
                if count > MEMBERS:
                    raise DataError(f"{folder}: holds more than {MEMBERS:,} files; try a folder of its own")
                yield path.relative_to(folder).as_posix()


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{path}: cannot be read ({reason}); try the path of a folder or a zip archive"
        ) from None
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, IndexError) as error:
        raise DataError(
            f"{path}: wanted a folder or a zip archive, came neither ({error}); try to fetch it again"
        ) from None


def _members(path: Path, archive: zipfile.ZipFile) -> Iterator[str]:
    """Yield the files of an archive; refuse one that points outside, or that hides what it holds."""
    infos = archive.infolist()
    if len(infos) > MEMBERS:
        raise DataError(f"{path}: holds more than {MEMBERS:,} files; try a smaller archive")
    seen: set[str] = set()
    for info in infos:
        parts = PurePosixPath(info.filename).parts
        if info.filename.startswith(("/", "\\")) or ".." in parts or "\\" in info.filename:
            raise DataError(f"{path}: member {info.filename!r} points outside the archive; not opened")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise DataError(f"{path}: member {info.filename!r} is a link; not opened")
        if info.filename in seen:
            raise DataError(f"{path}: member {info.filename!r} is there twice; try to pack it again")
        seen.add(info.filename)
        if info.flag_bits & 1:
            raise DataError(f"{path}: member {info.filename!r} is encrypted; try an archive without password")
        hidden = any(p.startswith(".") for p in parts) or parts[:1] == ("__MACOSX",)
        if not info.is_dir() and not hidden:
            yield info.filename


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:4])
    return f"{shown} … ({len(names):,} files)" if len(names) > 4 else shown or "nothing"
