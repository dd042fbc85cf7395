"""Which task a name or a path means, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from gatelab.data.arrays.pairs import LABELLED as SERIES
from gatelab.data.music_sets import MUSIC
from gatelab.data.places import spelt
from gatelab.data.speech.sets import SPEECH
from gatelab.data.tables.sets import SERIES as ALONG_TIME
from gatelab.data.text.labelled import LABELLED as TEXTS
from gatelab.data.text.sets import TEXTS as CORPORA
from gatelab.data.tree import Tree
from gatelab.errors import ConfigError, DataError, near_misses
from gatelab.tasks.synthetic import GENERATORS

OF_SPEECH = {"fsdd": "classify", "yesno": "transcribe", "festvox_ru": "frames"}
ALONE = {
    ".mid": "one MIDI file, which cannot be parted into training, validation and test; try a folder of them",
    ".wav": "one recording, which cannot be parted into training, validation and test; try a folder of them",
    ".xml": "one XML file; try the folder of IAM-OnDB, or --task language to read it as a text",
    ".npy": "one array without labels; try a .npz file of x and y, as numpy.savez writes it",
    ".pq": "a table of another name; try to rename it to .parquet",
}
"""What is said of single files that are no data set of their own."""
ALONE |= {".midi": ALONE[".mid"], ".flac": ALONE[".wav"], ".sph": ALONE[".wav"]}
HEAD = 65_536
"""Bytes that are looked at to tell texts from other files."""
NO_TEXT = bytes({*range(32), 127} - set(b"\a\b\t\n\v\f\r\x1a\x1b"))
"""Bytes that stand in no text of one byte a character, nor in UTF-8."""
ENDINGS: Mapping[str, tuple[str, str]] = {
    ".mat": ("music", "a MATLAB file of piano rolls"),
    ".json": ("music", "a JSON file of piano rolls"),
    ".gz": ("music", "a compressed JSON file of piano rolls"),
    ".ts": ("classify", "a set of labelled time series"),
    ".txt": ("language", "a text"),
}


class Guess(NamedTuple):
    """The kind of a task, what the data seems to be, and why this task."""

    kind: str
    found: str


@cache
def named() -> dict[str, str]:
    """Return the kind of task of every known name."""
    kinds = dict.fromkeys([k for s in MUSIC.values() for k in (s.name, *s.aliases)], "music")
    kinds |= dict.fromkeys([k for s in CORPORA.values() for k in (s.name, *s.aliases)], "language")
    kinds |= {name: OF_SPEECH[name] for name in SPEECH} | {"fsdd-speakers": "classify"}
    kinds |= dict.fromkeys([*SERIES, *TEXTS], "classify")
    kinds |= dict.fromkeys(["gw", "iam-ondb"], "transcribe")
    kinds |= dict.fromkeys(ALONG_TIME, "forecast")
    kinds |= {"multi30k": "translate", "nottingham-tunes": "tune"}
    return kinds | dict.fromkeys(GENERATORS, "synthetic")


def guess(load: str) -> Guess:
    """Return the task that a name or a path means.

    Raises
    ------
    ConfigError
        It is no known name and no file or folder.
    DataError
        Nothing in the file or folder says what it is.

    Examples
    --------
    >>> from gatelab.tasks.guess import guess
    >>> guess("jsb").kind, guess("sst2").kind, guess("arithmetic").kind
    ('music', 'classify', 'synthetic')
    """
    if not load.strip():
        raise ConfigError(
            "wanted the name of a set, or a path, came an empty text; try gatelab compare --help"
        )
    if (name := spelt(load, named())) is not None:
        return Guess(named()[name], f"the known set {name}")
    path = Path(load).expanduser()
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        hint, known = near_misses(load.lower(), named()) or ";", ", ".join(sorted(named()))
        raise ConfigError(f"no set and no file is called {load!r}{hint} known are {known}")
    ending = path.suffix.lower()
    if ending == ".zip":
        return _content(Tree(path), path)
    if ending == ".npz":
        return _arrays(load)
    if ending in (".csv", ".tsv", ".parquet"):
        return _table(path)
    if ending in ALONE:
        raise DataError(f"{path}: wanted a data set, came {ALONE[ending]}")
    if ending in ENDINGS and ending != ".txt":
        return Guess(*ENDINGS[ending])
    try:
        with path.open("rb") as file:
            _check_text(file.read(HEAD), str(path))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); try the path of a text") from None
    return Guess(*ENDINGS.get(ending, ("language", "a file of no known kind, so a text")))


def _check_text(head: bytes, place: str) -> None:
    """Refuse a file that holds bytes that no text has, unless it says that it is UTF-16 or UTF-32."""
    odd = len(head) - len(head.lstrip(bytes(set(range(256)) - set(NO_TEXT))))
    if odd < len(head) and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(
            f"{place}: wanted a data set or a text, came the byte {head[odd]} at {odd:,}, which no text has; "
            f"try --task, such as language with -o level=bytes, or with an encoding"
        )


def _folder(path: Path) -> Guess:
    if (path / "wav.scp").exists() or (path / "feats.scp").exists():
        return Guess("transcribe", "a Kaldi data folder")
    if any(path.glob("[tT][rR][aA][iI][nN]/*/*/*.[pP][hH][nN]")):
        return Guess("frames", "a TIMIT folder")
    return _content(Tree(path), path)


def _content(tree: Tree, path: Path) -> Guess:
    """Say what a folder or archive is by the endings of its files."""
    endings = Counter(Path(name).suffix.lower() for name in tree.names())
    count = {e: n for e, n in endings.items() if e}
    midi, sound = count.get(".mid", 0) + count.get(".midi", 0), count.get(".wav", 0) + count.get(".flac", 0)
    if midi:
        return Guess("music", f"{midi:,} MIDI files")
    if sound and not path.is_dir():
        raise DataError(
            f"{path}: came {sound:,} sound files in an archive; try to unpack it, they are streamed"
        )
    if sound:
        return Guess("waveform", f"{sound:,} sound files")
    if count.get(".xml"):
        return Guess("transcribe", f"{count['.xml']:,} XML files of pen strokes")
    if count.get(".txt"):
        return _texts(tree, count[".txt"])
    came = ", ".join(f"{n:,} {ending or 'without an ending'}" for ending, n in endings.most_common(4))
    raise DataError(
        f"{path}: wanted MIDI, sound, text or XML files, came {came or 'none (hidden ones do not count)'}; "
        f"try --task"
    )


def _texts(tree: Tree, count: int) -> Guess:
    names = tree.names(".txt")
    head = tree.head(names[0], HEAD)
    _check_text(head, tree.place(names[0]))
    if _is_pen_word(head[:400]):
        return Guess("transcribe", f"{count:,} files of pen trajectories")
    folders = {name.rsplit("/", 1)[0] for name in names if "/" in name}
    if len(folders) > 1 and all("/" in name for name in names):
        return Guess("classify", f"{count:,} texts in {len(folders)} folders, a class each")
    return Guess("language", f"{count:,} texts")


def _is_pen_word(data: bytes) -> bool:
    """Return whether a file's third line is a point: x, y and whether the pen was lifted."""
    lines = data.split(b"\n")
    parts = lines[2].split() if len(lines) > 3 else []
    return len(parts) == 3 and parts[2] in (b"0", b"1")


def _arrays(load: str) -> Guess:
    from gatelab.data.arrays.npz import load_arrays

    along = isinstance(load_arrays(load).train.y, tuple)
    return Guess("frames", "arrays with a label a frame") if along else Guess("classify", "labelled arrays")


def _table(path: Path) -> Guess:
    with path.open("rb") as file:
        head = file.readline(4096).decode("utf-8-sig", "replace").lower()
    names = {name.strip().strip('"') for name in head.replace("\t", ",").replace(";", ",").split(",")}
    if {"text", "label"} <= names:
        return Guess("classify", "a table of labelled texts")
    return Guess("forecast", "a table")
