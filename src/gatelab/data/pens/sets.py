"""A folder or an archive of pen trajectories, read whole and split: plain text words, or IAM-OnDB."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from gatelab.data.pens import iam_ondb
from gatelab.data.pens.groups import split_groups
from gatelab.data.pens.trajectories import Trajectory
from gatelab.data.pens.words import WORD_LIMIT, read_pen_word
from gatelab.data.tree import Tree, entry
from gatelab.errors import DataError

GW_VALID, GW_TEST = ("3060306", "3070307"), ("3080308", "3090309")
GW_PAGES = frozenset(str(first + 10_001 * page) for first in (2700270, 3000300) for page in range(10))
"""The pages of the online George Washington words, 270 to 279 and 300 to 309."""
TASK_1 = {
    "train": ("trainset.txt",),
    "valid": ("testset_v.txt", "testset_t.txt"),
    "test": ("testset_f.txt",),
}
"""The set files of IAM-OnDB's task 1; Greff et al. joined the two validation sets."""


@dataclass(frozen=True)
class PenSet:
    """Trajectories of ``train``, ``valid`` and ``test``; how they were split; what is to be said of them."""

    splits: dict[str, list[Trajectory]]
    split: str
    remarks: tuple[str, ...]
    digest: str


class _Reader:
    """A tree of files whose names and contents are hashed as they are read."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._total = hashlib.sha256()

    def read(self, name: str, limit: int) -> bytes:
        data = self.tree.read(name, limit)
        self._total.update(entry(name, data))
        return data

    @property
    def digest(self) -> str:
        return self._total.hexdigest()


def read_pen_set(tree: Tree, valid: Sequence[str] | None = None, test: Sequence[str] | None = None) -> PenSet:
    """Return all trajectories of a folder or an archive, in the order of their names, split by group.

    The rules of the split stand at :func:`gatelab.data.pens.strokes.load_strokes`.

    Raises
    ------
    DataError
        It holds files of neither format, or a file is broken.
    ConfigError
        A group of ``valid`` or ``test`` is not there.
    """
    lines = [name for name in tree.names(".xml") if iam_ondb.LINE_FILE.fullmatch(name)]
    words = [] if lines else tree.names(".txt")
    if not lines and not words:
        wanted = "files PAGE/1_word.txt, or lineStrokes/…/a01-000u-01.xml of IAM-OnDB"
        raise DataError(f"{tree.path}: wanted {wanted}, came none; try the folder that holds them")
    reader = _Reader(tree)
    return _lines(reader, lines, valid, test) if lines else _words(reader, words, valid, test)


def _words(
    reader: _Reader, names: list[str], valid: Sequence[str] | None, test: Sequence[str] | None
) -> PenSet:
    found, lacking = [], []
    for name in names:
        trajectory, stood = read_pen_word(reader.read(name, WORD_LIMIT), name, reader.tree.place(name))
        found.append(trajectory)
        if not stood:
            lacking.append(name)
    split = "valid and test as asked for" if valid else "a tenth of the groups each for valid and test"
    if valid is None and test is None and {t.group for t in found} == GW_PAGES:
        valid, test = GW_VALID, GW_TEST
        split = f"by page: valid {', '.join(valid)}, test {', '.join(test)}"
    remarks = () if not lacking else (_count(lacking, "files without line 1, word from the file name"),)
    which = split_groups((t.group for t in found), valid, test, str(reader.tree.path))
    return PenSet(_parted(found, which), split, remarks, reader.digest)


def _lines(
    reader: _Reader, names: list[str], valid: Sequence[str] | None, test: Sequence[str] | None
) -> PenSet:
    """Join strokes and transcripts of IAM-OnDB by form and line."""
    files = {PurePosixPath(name).name: name for name in reader.tree.names(".txt")}
    lists = {} if valid or test else _task_1(reader, files)
    silent: list[str] = []
    spare: list[str] = []
    found = list(_read_lines(reader, names, files, lists, silent, spare))
    absent = sorted(set(lists) - {t.group for t in found})
    said = (
        (silent, "lines left out, no text for them"),
        (spare, "lines left out, their form is in no set file"),
        (absent, "forms of the set files without lines"),
    )
    remarks = tuple(_count(left, why) for left, why in said if left)
    split = (
        "task 1 of IAM-OnDB" if lists else "valid and test as asked for" if valid else "a tenth of the forms"
    )
    which = lists or split_groups((t.group for t in found), valid, test, str(reader.tree.path))
    return PenSet(_parted(found, which), split, remarks, reader.digest)


def _read_lines(
    reader: _Reader,
    names: list[str],
    files: dict[str, str],
    lists: dict[str, str],
    silent: list[str],
    spare: list[str],
) -> Iterator[Trajectory]:
    """Yield the lines that have a text and a split; note the others in ``silent`` and ``spare``."""
    transcripts: dict[str, list[str]] = {}
    for name in names:
        match = iam_ondb.LINE_FILE.fullmatch(name)
        assert match is not None
        line_id, form, number = match[1], match[2], int(match[3])
        if lists and form not in lists:
            spare.append(line_id)
            continue
        if form not in transcripts:
            transcripts[form] = _transcript(reader, files.get(f"{form}.txt"))
        text = "".join(transcripts[form][number - 1 : number]) if number else ""
        if not text:
            silent.append(line_id)
            continue
        strokes = iam_ondb.read_strokes(reader.read(name, iam_ondb.XML_LIMIT), reader.tree.place(name))
        yield replace(strokes, id=line_id, group=form, text=text)


def _transcript(reader: _Reader, name: str | None) -> list[str]:
    if name is None:
        return []
    return iam_ondb.read_transcript(reader.read(name, iam_ondb.XML_LIMIT), reader.tree.place(name))


def _task_1(reader: _Reader, files: dict[str, str]) -> dict[str, str]:
    """Return the split of each form by the set files; nothing where there are none."""
    there = {split: [files[f] for f in wanted if f in files] for split, wanted in TASK_1.items()}
    if not any(there.values()):
        return {}
    found: dict[str, str] = {}
    for split, names in there.items():
        if not names:
            raise DataError(
                f"{reader.tree.path}: wanted {TASK_1[split][0]} beside the other set files, came none"
            )
        for name in names:
            place = reader.tree.place(name)
            for form in iam_ondb.read_forms(reader.read(name, iam_ondb.XML_LIMIT), place):
                if form in found:
                    raise DataError(
                        f"{place}: the form {form} is in {found[form]} already; try to mend the lists"
                    )
                found[form] = split
    return found


def _parted(found: list[Trajectory], which: dict[str, str]) -> dict[str, list[Trajectory]]:
    splits: dict[str, list[Trajectory]] = {"train": [], "valid": [], "test": []}
    for trajectory in found:
        splits[which[trajectory.group]].append(trajectory)
    return splits


def _count(names: list[str], what: str) -> str:
    shown = ", ".join(names[:4]) + (" …" if len(names) > 4 else "")
    return f"{len(names):,} {what}: {shown}"
