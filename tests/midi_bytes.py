"""MIDI files made byte by byte, so that the reader is not tested with the writer alone."""

from __future__ import annotations

from collections.abc import Sequence

from gatelab.data.midi.notes import END

Event = tuple[int, bytes]
"""How long to wait, in ticks; the bytes."""

TEXT_END = b"\xff\x06" + bytes([len(END)]) + END.encode()


def on(key: int, channel: int = 0, velocity: int = 64) -> bytes:
    return bytes([0x90 | channel, key, velocity])


def off(key: int, channel: int = 0) -> bytes:
    return bytes([0x80 | channel, key, 0])


def metre(over: int, power: int) -> bytes:
    return b"\xff\x58\x04" + bytes([over, power, 24, 8])


def wait(ticks: int) -> bytes:
    groups = [ticks & 127]
    while ticks := ticks >> 7:
        groups.append(ticks & 127 | 128)
    return bytes(reversed(groups))


def midi(*tracks: Sequence[Event], kind: int = 1, division: int = 2) -> bytes:
    """Return a file; a tick is an eighth unless ``division`` says otherwise."""
    data = b"MThd" + (6).to_bytes(4) + b"".join(n.to_bytes(2) for n in (kind, len(tracks), division))
    for events in tracks:
        content = b"".join(wait(ticks) + event for ticks, event in events) + b"\x00\xff\x2f\x00"
        data += b"MTrk" + len(content).to_bytes(4) + content
    return data
