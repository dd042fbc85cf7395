"""Files of labelled texts: ``LABEL sentence`` lines, a file a class, tables, and a folder a class."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from gatelab.data.splits import NAMES
from gatelab.data.text.lines import decoded, read_lines
from gatelab.data.tree import Tree, read_file
from gatelab.errors import DataError, near_misses

SEPARATORS = (",", "\t", ";", "|")


class Example(NamedTuple):
    """One text: its label, where it stands, and its part (0, 1 or 2), or None where none is given."""

    text: str
    label: str
    place: str
    part: int | None = None


def read_label_lines(path: Path, part: int | None = None) -> list[Example]:
    """Return the examples of a file of lines ``LABEL sentence``, as those of SST-2."""
    examples = []
    for number, line in enumerate(read_lines(path), 1):
        label, _, sentence = line.partition(" ")
        if not label or not sentence.strip():
            raise DataError(
                f"{path}, line {number}: wanted LABEL sentence, came {line[:40]!r}; try to correct it"
            )
        examples.append(Example(sentence, label, f"{path}, line {number}", part))
    return examples


def read_class_file(path: Path, label: str) -> list[Example]:
    """Return the examples of a file with one sentence of the same class a line."""
    examples = [Example(line, label, f"{path}, line {n}") for n, line in enumerate(read_lines(path), 1)]
    return _not_blank(examples)


def read_table(path: Path, text: str, label: str) -> list[Example]:
    """Return the examples of a CSV or TSV file with a header.

    The separator is the first of comma, tab, semicolon and bar by which the header has both columns. Quoted
    fields may hold line ends; a message names the line where a row ends.
    """
    content = decoded(read_file(path), str(path))
    rows = _rows(content, path, _separator(content, path, (text, label)))
    _, header = next(rows)
    columns = {name: header.index(name) for name in (text, label, "split") if name in header}
    examples = []
    for line, row in rows:
        place = f"{path}, line {line}"
        if len(row) != len(header):
            raise DataError(f"{place}: wanted {len(header)} fields, came {len(row)}; try to quote the texts")
        part = _part(row[columns["split"]], place) if "split" in columns else None
        examples.append(Example(row[columns[text]], row[columns[label]].strip(), place, part))
    return _not_blank(examples)


def read_folder(path: Path) -> list[Example]:
    """Return the examples of a folder or zip archive: ``CLASS/*.txt``, or ``train/CLASS/*.txt`` and so on."""
    tree, examples = Tree(path), []
    names = tree.names(".txt")
    folders = [PurePosixPath(name).parts[:-1] for name in names]
    split = any(len(folder) == 2 and folder[0].lower() in NAMES for folder in folders)
    for name, folder in zip(names, folders, strict=True):
        place = tree.place(name)
        if len(folder) != 1 + split:
            raise DataError(
                f"{place}: wanted CLASS/NAME.txt, or train/CLASS/NAME.txt for all; try to move it"
            )
        part = _part(folder[0], place) if split else None
        examples.append(Example(decoded(tree.read(name), place), folder[-1], place, part))
    if not examples:
        raise DataError(
            f"{path}: wanted a folder of .txt files for each class, came none; try another folder"
        )
    return _not_blank(examples)


def _not_blank(examples: list[Example]) -> list[Example]:
    for example in examples:
        if not example.text.strip() or not example.label:
            missing = "label" if example.text.strip() else "text"
            raise DataError(
                f"{example.place}: wanted a {missing}, came nothing; try to fill it in or remove it"
            )
    return examples


def _rows(content: str, path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, fields) of the rows that are not empty."""
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator, strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num}: no table ({error}); try to quote the texts"
        ) from None


def _separator(content: str, path: Path, wanted: Sequence[str]) -> str:
    """Return the separator by which the first row has the wanted columns."""
    first: list[str] = []
    for separator in SEPARATORS:
        _, header = next(_rows(content, path, separator), (0, []))
        if set(wanted) <= set(header):
            return separator
        first = max(first, header, key=len)
    missing = next((name for name in wanted if name not in first), wanted[0])
    came = ", ".join(first)[:120]
    hint = near_misses(missing, first) or ";"
    raise DataError(
        f"{path}, line 1: wanted the columns {' and '.join(wanted)}, came {came!r}{hint} "
        f"try to name them with text= and label="
    )


def _part(name: str, place: str) -> int:
    part = NAMES.get(name.strip().lower())
    if part is None:
        raise DataError(f"{place}: split: wanted train, valid or test, came {name[:40]!r}; try to correct it")
    return part
