"""The files of IAM-OnDB, the IAM On-Line Handwriting Database: a line of text each, written on a whiteboard.

- ``lineStrokes/a01/a01-000/a01-000u-01.xml``: the strokes of line 1 of the form a01-000u; the origin is top
  left, so y points down there.
- ``ascii/a01/a01-000/a01-000u.txt``: the lines of the form, below a line ``CSR:``.
- ``trainset.txt``, ``testset_v.txt``, ``testset_t.txt``, ``testset_f.txt``: the forms of a split, one a line.

M. Liwicki and H. Bunke, "IAM-OnDB – an On-Line English Sentence Database Acquired from Handwritten Text on a
Whiteboard", ICDAR 2005. Files are read with defusedxml; the published ones declare no document type, and one
that does is refused.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from gatelab.data.pens.trajectories import POINT_LIMIT, Trajectory, read_numbers
from gatelab.errors import DataError

LINE_FILE = re.compile(r"(?:.*/)?((\w+-\w+)-(\d{1,4}))\.xml", re.ASCII | re.IGNORECASE)
"""The name of a file of strokes: its id, its form and the number of its line."""
XML_LIMIT = 32 * 2**20
"""The most bytes of one file; those of the set have some 50,000."""
DEPTH = 8
"""How deep elements may be nested; those of the set are four deep."""


def read_strokes(data: bytes, place: str) -> Trajectory:
    """Return the trajectory of one file of strokes, with id, group and text left empty.

    Parameters
    ----------
    data
        The whole file: ``<WhiteboardCaptureSession>``, in it ``<StrokeSet>`` with ``<Stroke>`` of
        ``<Point x="…" y="…" time="…"/>`` and nothing else; elements beside it are passed over.
    place
        What messages call it.

    Returns
    -------
    Trajectory
        y turned to point up; times in seconds, None where no point has one.

    Raises
    ------
    DataError
        With the line: no well-formed XML, a document type or entities, too deep, an empty stroke, a
        coordinate that is no number, times at some points only, other elements among the strokes.

    Examples
    --------
    >>> from gatelab.data.pens.iam_ondb import read_strokes
    >>> dot = b'<Stroke><Point x="7" y="9" time="0.5"/></Stroke>'
    >>> session = b"<WhiteboardCaptureSession><StrokeSet>%s</StrokeSet></WhiteboardCaptureSession>"
    >>> line = read_strokes(session % (2 * dot), "dots.xml")
    >>> line.points.tolist(), line.times.tolist(), line.lifted.tolist()
    ([[7.0, -9.0], [7.0, -9.0]], [0.5, 0.5], [True, True])
    """
    session = _parsed(data, place)
    if not session.x:
        raise DataError(f"{place}: wanted strokes in a StrokeSet, came none; try to fetch the file again")
    x, y = session.numbers("x", session.x), session.numbers("y", session.y)
    missing = session.time.count("")
    if 0 < missing < len(session.time):
        line = session.lines[session.time.index("")]
        raise DataError(f"{place}, line {line}: wanted a time as at other points, came none; try to add it")
    times = None if missing else session.numbers("time", session.time)
    lifted = np.zeros(len(x), np.bool_)
    lifted[np.array(session.ends) - 1] = True
    return Trajectory("", "", "", np.stack([x, -y], axis=1), times, lifted)


def read_transcript(data: bytes, place: str) -> list[str]:
    """Return the lines of text below the line ``CSR:``, in order, the blank ones around them left out.

    Raises
    ------
    DataError
        It is not UTF-8, or no line is ``CSR:``.

    Examples
    --------
    >>> from gatelab.data.pens.iam_ondb import read_transcript
    >>> read_transcript(b"OCR:\\n\\nA MOUE\\n\\nCSR:\\n\\nA MOVE to\\nstop Mr.\\n", "a01-000u.txt")
    ['A MOVE to', 'stop Mr.']
    """
    try:
        lines = [line.strip() for line in data.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{place}, line {line}: not UTF-8 text ({error.reason}); try to convert it") from None
    if "CSR:" not in lines:
        raise DataError(
            f"{place}: wanted a line CSR: above the lines of text, came none; try to fetch it again"
        )
    return "\n".join(lines[lines.index("CSR:") + 1 :]).strip("\n").split("\n")


def read_forms(data: bytes, place: str) -> list[str]:
    """Return the forms of a split: one a line, blank lines passed over.

    Raises
    ------
    DataError
        A line is no name of a form, or a form stands there twice.

    Examples
    --------
    >>> from gatelab.data.pens.iam_ondb import read_forms
    >>> read_forms(b" a01-000u\\n a01-000x\\n", "trainset.txt")
    ['a01-000u', 'a01-000x']
    """
    forms: dict[str, int] = {}
    for number, row in enumerate(data.decode("latin-1").splitlines(), 1):
        form = row.strip()
        if form and (form in forms or not re.fullmatch(r"\w+-\w+", form, re.ASCII)):
            came = f"{form[:40]!r}" + (f" as in line {forms[form]}" if form in forms else "")
            raise DataError(
                f"{place}, line {number}: wanted a form like a01-000u, came {came}; try to mend it"
            )
        if form:
            forms[form] = number
    return list(forms)


class _Session:
    """What the parser tells, gathered: it builds no tree, so a file costs what its points cost."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.path: list[str] = []
        self.x: list[str] = []
        self.y: list[str] = []
        self.time: list[str] = []
        self.lines: list[int] = []  # of each point
        self.ends: list[int] = []  # of each stroke: how many points up to there
        self.expat: Any = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take an element's begin: a point, or a level deeper."""
        self.path.append(tag)
        if len(self.path) > DEPTH:
            raise self.mistake(f"elements at most {DEPTH} deep", "deeper ones")
        if len(self.path) == 1 and tag != "WhiteboardCaptureSession":
            raise self.mistake("the element WhiteboardCaptureSession", tag[:40])
        if tag == "Point":
            self._point(attributes)
        elif self.path[1:2] == ["StrokeSet"] and self.path[2:] not in ([], ["Stroke"]):
            raise self.mistake("only strokes of points in a StrokeSet", f"an element {tag[:40]}")

    def end(self, tag: str) -> None:
        """Take an element's end: of a stroke, which must have points."""
        self.path.pop()
        if tag == "Stroke" and self.path[-1:] == ["StrokeSet"]:
            if len(self.x) == (self.ends[-1] if self.ends else 0):
                raise self.mistake("points in a Stroke", "an empty one")
            self.ends.append(len(self.x))

    def _point(self, attributes: dict[str, str]) -> None:
        if self.path[1:] != ["StrokeSet", "Stroke", "Point"]:
            raise self.mistake(
                "a Point in a Stroke of the StrokeSet", f"one in {'/'.join(self.path[:-1])[:80]}"
            )
        if "x" not in attributes or "y" not in attributes:
            raise self.mistake("x and y at a Point", f"{', '.join(attributes)[:40] or 'nothing'}")
        if len(self.x) == POINT_LIMIT:
            raise self.mistake(f"at most {POINT_LIMIT:,} points", "more")
        self.x.append(attributes["x"])
        self.y.append(attributes["y"])
        self.time.append(attributes.get("time", ""))
        self.lines.append(self.expat.CurrentLineNumber)

    def mistake(self, wanted: str, came: str) -> DataError:
        """Return an error at the line that is being read."""
        line = self.expat.CurrentLineNumber
        return DataError(
            f"{self.place}, line {line}: wanted {wanted}, came {came}; try to fetch the file again"
        )

    def numbers(self, name: str, texts: list[str]) -> np.ndarray:
        """Return an attribute of all points as numbers."""
        found = read_numbers(texts)
        if isinstance(found, int):
            line, came = self.lines[found], texts[found][:40]
            wanted = f"a decimal number as {name} of a Point"
            raise DataError(f"{self.place}, line {line}: wanted {wanted}, came {came!r}; try to mend it")
        return found


def _parsed(data: bytes, place: str) -> _Session:
    from defusedxml import DefusedXmlException  # here: the room must stay quick to import
    from defusedxml.ElementTree import DefusedXMLParser, ParseError

    if len(data) > XML_LIMIT:
        raise DataError(
            f"{place}: wanted at most {XML_LIMIT >> 20} MiB of XML, came more; try a smaller file"
        )
    session = _Session(place)
    parser = DefusedXMLParser(target=session, forbid_dtd=True)  # type: ignore[no-untyped-call]
    session.expat = parser.parser
    try:
        parser.feed(data)
        parser.close()
    except DefusedXmlException as error:
        reason = type(error).__name__
        raise DataError(f"{place}: holds a document type or entities ({reason}); not opened") from None
    except (ParseError, ValueError, LookupError) as error:  # the last two: an encoding that is not known
        reason = " ".join(str(error).split())[:120]
        raise DataError(f"{place}: no well-formed XML ({reason}); try to fetch the file again") from None
    finally:
        session.expat = None  # a ring of references, else kept until the next collection
    return session
