"""Files of IAM-OnDB, written here in its form, and hostile XML."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from damage import Change, assert_one_line, assert_refusal, mutated, mutations
from gatelab.data.pens import iam_ondb
from gatelab.data.pens.iam_ondb import read_forms, read_strokes, read_transcript
from gatelab.errors import DataError

LINE = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
<WhiteboardCaptureSession>
  <WhiteboardDescription>
    <SensorLocation corner="top_left"/>
    <DiagonallyOppositeCoords x="6512" y="1376"/>
    <VerticallyOppositeCoords x="966" y="1376"/>
    <HorizontallyOppositeCoords x="6512" y="787"/>
  </WhiteboardDescription>
  <StrokeSet>
    <Stroke colour="black" start_time="769.05" end_time="769.64">
      <Point x="1073" y="1058" time="769.05"/>
      <Point x="1072" y="1085" time="769.07"/>
      <Point x="1066" y="1117" time="769.08"/>
    </Stroke>
    <Stroke colour="black" start_time="769.70" end_time="769.90">
      <Point x="1176" y="1237" time="769.70"/>
      <Point x="1175" y="1233" time="769.72"/>
    </Stroke>
  </StrokeSet>
</WhiteboardCaptureSession>
"""


def test_reads_strokes_with_y_turned_up() -> None:
    line = read_strokes(LINE, "f")
    assert line.points.tolist() == [
        [1073, -1058],
        [1072, -1085],
        [1066, -1117],
        [1176, -1237],
        [1175, -1233],
    ]
    assert line.times is not None
    assert line.times.tolist() == [769.05, 769.07, 769.08, 769.70, 769.72]
    assert line.lifted.tolist() == [False, False, True, False, True]


def test_times_may_be_missing_everywhere() -> None:
    data = LINE
    for value in (b"769.05", b"769.07", b"769.08", b"769.70", b"769.72"):
        data = data.replace(b' time="' + value + b'"', b"")
    assert read_strokes(data, "f").times is None


def session(inner: bytes) -> bytes:
    return b"<WhiteboardCaptureSession><StrokeSet>\n" + inner + b"\n</StrokeSet></WhiteboardCaptureSession>"


LAUGHS = (
    b'<!DOCTYPE b [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (k + 1, b"&a%d;" % k * 10) for k in range(9))
    + b"]>"
)
OUTSIDE = b'<!DOCTYPE b [<!ENTITY out SYSTEM "file:///etc/passwd">]>'
REMOTE = b'<!DOCTYPE b SYSTEM "http://127.0.0.1:9/evil.dtd">'

BAD: dict[str, bytes] = {
    "holds a document type or entities": LAUGHS + session(b"<Stroke>&a9;</Stroke>"),
    "document type or entities \\(DTDForbidden\\)": OUTSIDE + session(b"<Stroke>&out;</Stroke>"),
    "not opened": REMOTE + session(b""),
    "line 1: wanted elements at most 8 deep, came deeper ones": b"<WhiteboardCaptureSession>"
    + b"<a>" * 500_000,
    "no well-formed XML \\(undefined entity": session(b"<Stroke>&nbsp;</Stroke>"),
    "no well-formed XML \\(unclosed token: line 19": LINE[:-30],
    "no well-formed XML \\(not well-formed": LINE.replace(b'y="1085"', b'y="1085'),
    "no well-formed XML \\(unknown encoding": LINE.replace(b"ISO-8859-1", b"nonsense"),
    "no well-formed XML \\(multi-byte": LINE.replace(b"ISO-8859-1", b"big5"),
    "no well-formed XML \\(no element": b"",
    "line 1: wanted the element WhiteboardCaptureSession, came html": b"<html></html>",
    "line 16: wanted points in a Stroke, came an empty one": LINE.replace(
        b'      <Point x="1176" y="1237" time="769.70"/>\n      <Point x="1175" y="1233" time="769.72"/>\n',
        b"",
    ),
    "wanted strokes in a StrokeSet, came none": session(b""),
    "line 2: wanted a Point in a Stroke of the StrokeSet, came one in Whiteb.*/StrokeSet;": session(
        b'<Point x="1" y="2"/>'
    ),
    "line 2: wanted x and y at a Point, came x, time;": session(b'<Stroke><Point x="1" time="2"/></Stroke>'),
    "wanted x and y at a Point, came nothing;": session(b"<Stroke><Point/></Stroke>"),
    "line 12: wanted a decimal number as y of a Point, came 'ten';": LINE.replace(b'"1085"', b'"ten"'),
    "line 13: wanted a decimal number as x of a Point, came 'nan';": LINE.replace(b'"1066"', b'"nan"'),
    "line 12: wanted a decimal number as time of a Point, came '1e400';": LINE.replace(b"769.07", b"1e400"),
    "line 2: wanted only strokes of points in a StrokeSet, came an element {u}Stroke": session(
        b'<Stroke xmlns="u"><Point x="1" y="2"/></Stroke>'
    ),
    "came an element Line;": session(b'<Stroke><Point x="1" y="2"/></Stroke><Line/>'),
    "line 12: wanted a time as at other points": LINE.replace(b' time="769.07"', b""),
}


@pytest.mark.parametrize("message", BAD)
def test_refuses(message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_strokes(BAD[message], "bad.xml")
    assert_refusal(caught.value, "bad.xml")


def test_bounds_points_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iam_ondb, "POINT_LIMIT", 4)
    with pytest.raises(DataError, match="line 17: wanted at most 4 points, came more"):
        read_strokes(LINE, "f")
    monkeypatch.setattr(iam_ondb, "XML_LIMIT", 100)
    with pytest.raises(DataError, match="wanted at most 0 MiB of XML"):
        read_strokes(LINE, "f")


def test_transcripts() -> None:
    data = b"OCR:\n\nA MOUE\n\nstop\n\nCSR:\n\n\nA MOVE \n\nstop\n\n"
    assert read_transcript(data, "f") == ["A MOVE", "", "stop"]
    with pytest.raises(DataError, match="f: wanted a line CSR:"):
        read_transcript(b"A MOVE\n", "f")
    with pytest.raises(DataError, match="f, line 3: not UTF-8"):
        read_transcript(b"CSR:\n\n\xe9t\xe9", "f")


def test_set_files() -> None:
    assert read_forms(b"a01-000u\r\n\n  p09-122z \n", "f") == ["a01-000u", "p09-122z"]
    with pytest.raises(DataError, match="f, line 2: wanted a form like a01-000u, came 'A MOVE'"):
        read_forms(b"a01-000u\nA MOVE\n", "f")
    with pytest.raises(DataError, match=r"line 2: .* came 'a01-000u' as in line 1"):
        read_forms(b"a01-000u\na01-000u\n", "f")


# Fuzz: whatever happens to a file, it is strokes or a DataError.


PIECES = [
    b"<Stroke>", b"</Stroke>", b"<Stroke/>", b'<Point x="1" y="2"/>', b"&a;", b"&#10;", b"&#0;", b"<![CDATA[",
    b"]]>", b"<!--", b"-->", b"<?x?>", b"<!DOCTYPE a>", b"<!ENTITY a 'b'>", b'"', b"'", b">", b"<", b"\x00",
    b"\xff\xfe", b"-", b".", b"NaN", b" ",
    b'xmlns="u"', b'xmlns:a="u" a:b="c"', b"UTF-16", b"utf-7", b"cp037",
]  # fmt: skip
CHANGES = mutations(len(LINE), words=PIECES)


def damage(changes: list[Change]) -> None:
    data = mutated(LINE, changes)
    try:
        line = read_strokes(data, "fuzz")
    except DataError as error:
        assert_one_line(error)
    else:
        assert len(line.points) == len(line.lifted) > 0
        assert line.lifted[-1]
        assert np.isfinite(line.points).all()
        assert line.times is None or np.isfinite(line.times).all()


@settings(max_examples=2000, deadline=None)
@given(CHANGES)
def test_a_damaged_file_is_strokes_or_a_data_error(changes: list[Change]) -> None:
    damage(changes)


@pytest.mark.exhaustive
@settings(max_examples=30_000, deadline=None)
@given(CHANGES)
def test_many_damaged_files(changes: list[Change]) -> None:
    damage(changes)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_lists_and_transcripts_are_read_or_data_errors(data: bytes) -> None:
    for read in (read_forms, read_transcript):
        try:
            read(data, "fuzz")
        except DataError as error:
            assert_one_line(error)
