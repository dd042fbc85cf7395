"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader, or a crash, finds the old content or the new, never a part.

    The data goes into a file of another name beside it, which then takes its name. Devices, pipes and links
    (``/dev/stdout`` is one) would lose their place in this way: they are written into as they are.

    Parameters
    ----------
    path
        Of the file; its folder has to be there.
    data
        Its bytes.

    Raises
    ------
    OSError
        The disk is full, or the folder cannot be written; a file that stood there before is untouched.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder, "a.txt"), b"new")
    ...     [file.name for file in Path(folder).iterdir()]
    ['a.txt']
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        with open(path, "wb") as file:
            file.write(data)
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
