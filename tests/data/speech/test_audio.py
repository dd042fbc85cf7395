"""Sound files of every kind that is read, and everything that must not pass the border."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from gatelab.data.speech import audio
from gatelab.data.speech import decoder as audio_decoder
from gatelab.data.speech.audio import open_audio, open_folder, read_audio, resample, write_wav
from gatelab.errors import DataError, ShapeError

RATE = 16_000
TONE = (0.6 * np.sin(np.arange(5000) * 0.11) + 0.1 * np.sin(np.arange(5000) * 0.7)).astype(np.float32)
WHOLE = np.rint(TONE * 32768).astype(np.int16)


def encoded(samples: Any = WHOLE, rate: int = RATE, form: str = "WAV", subtype: str = "PCM_16") -> bytes:
    made = io.BytesIO()
    soundfile.write(made, samples, rate, format=form, subtype=subtype)
    return made.getvalue()


def wav(
    samples: bytes = WHOLE.tobytes(),
    claim: int | None = None,
    tag: int = 1,
    channels: int = 1,
    bits: int = 16,
    rate: int = RATE,
    width: int | None = None,
    before: bytes = b"",
) -> bytes:
    """Return a WAV file byte by byte, so that its header can lie."""
    width = channels * bits // 8 if width is None else width
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * width, width, bits)
    claim = len(samples) if claim is None else claim
    body = b"WAVE" + before + b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", claim)
    return b"RIFF" + struct.pack("<I", len(body) + len(samples)) + body + samples


def timit_sphere(samples: bytes = WHOLE.tobytes(), extra: str = "", count: int = len(WHOLE)) -> bytes:
    """Return a SPHERE file with the fields of TIMIT's."""
    lines = (
        f"NIST_1A\n   1024\ndatabase_id -s5 TIMIT\nutterance_id -s8 cjf0_sa1\nchannel_count -i 1\n"
        f"sample_count -i {count}\nsample_rate -i 16000\nsample_min -i -2191\nsample_n_bytes -i 2\n"
        f"sample_byte_format -s2 01\nsample_sig_bits -i 16\n{extra}end_head\n"
    )
    return lines.encode().ljust(1024) + samples


@pytest.mark.parametrize(
    ("form", "subtype", "bits"),
    [
        ("WAV", "PCM_U8", 7), ("WAV", "PCM_16", 15), ("WAV", "PCM_24", 23), ("WAV", "PCM_32", 23),
        ("WAV", "FLOAT", 23), ("WAV", "DOUBLE", 23), ("WAVEX", "PCM_16", 15), ("FLAC", "PCM_16", 15),
        ("FLAC", "PCM_24", 23), ("NIST", "PCM_16", 15), ("WAV", "ULAW", 4), ("WAV", "ALAW", 4),
    ],
)  # fmt: skip
def test_every_kind_keeps_its_bits(form: str, subtype: str, bits: int, tmp_path: Path) -> None:
    data = encoded(TONE, form=form, subtype=subtype)
    recording = read_audio(data, "tone")
    assert (recording.rate, recording.frames, recording.samples.dtype) == (RATE, 5000, np.float32)
    np.testing.assert_allclose(recording.samples, TONE, atol=2.0**-bits)
    path = tmp_path / "tone.raw"  # the kind is told from the bytes
    path.write_bytes(data)
    assert np.array_equal(read_audio(path).samples, recording.samples)
    opened = open_audio(path)
    assert (opened.rate, opened.frames, opened.channels) == (RATE, 5000, 1)
    assert np.array_equal(opened.read(1234, 4321), recording.samples[1234:4321])
    assert np.array_equal(np.concatenate(list(opened.blocks(999))), recording.samples)


def test_sixteen_bits_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "all.wav"
    every = np.arange(-32768, 32768).astype(np.int16)
    path.write_bytes(encoded(every))
    samples = read_audio(path).samples
    assert np.array_equal(samples * 32768, every)
    write_wav(tmp_path / "again.wav", samples, RATE)
    assert (tmp_path / "again.wav").read_bytes()[44:] == every.tobytes()
    write_wav(tmp_path / "one.wav", np.array([1.0, -1.0]), RATE)
    assert read_audio(tmp_path / "one.wav").samples.tolist() == [32767 / 32768, -1]


def test_channels_become_their_mean() -> None:
    both = np.stack([TONE, -0.25 * TONE], axis=1)
    recording = read_audio(encoded(both, subtype="FLOAT"))
    np.testing.assert_allclose(recording.samples, 0.375 * TONE, atol=1e-7)


def test_blocks_of_several_channels_over_decoder_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    both = np.stack([WHOLE, WHOLE], axis=1)
    monkeypatch.setattr(audio_decoder, "READ", 700)
    assert np.array_equal(read_audio(encoded(both)).samples * 32768, WHOLE)


def test_a_sphere_file_like_those_of_timit() -> None:
    assert np.array_equal(read_audio(timit_sphere()).samples * 32768, WHOLE)


def test_chunks_before_the_samples_and_behind_are_stepped_over() -> None:
    odd = b"LIST" + struct.pack("<I", 5) + b"INFO!" + b"\0"
    data = wav(before=odd) + b"junk" + struct.pack("<I", 3) + b"abc"
    assert np.array_equal(read_audio(data).samples * 32768, WHOLE)


def test_resampling_keeps_a_tone() -> None:
    seconds = np.arange(8000) / 8000
    low = audio.Recording("tone", np.sin(2 * np.pi * 440 * seconds).astype(np.float32), 8000)
    high = resample(low, 16_000)
    assert (high.frames, high.rate, high.samples.dtype) == (16_000, 16_000, np.float32)
    inside = slice(400, -400)
    wanted = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    np.testing.assert_allclose(high.samples[inside], wanted[inside], atol=2e-3)
    assert resample(low, 8000) is low
    assert read_audio(encoded(), rate=11_025).frames == -(-5000 * 11_025 // 16_000)
    with pytest.raises(DataError, match="wanted a rate of 1000 to 768000 Hz, came 0"):
        resample(low, 0)


def test_a_folder_by_name(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.FLAC").write_bytes(encoded(form="FLAC"))
    (tmp_path / "a.wav").write_bytes(encoded())
    (tmp_path / "notes.txt").write_text("no sound")
    assert [sound.path.name for sound in open_folder(tmp_path)] == ["a.wav", "b.FLAC"]
    with pytest.raises(DataError, match="wanted files that end in"):
        open_folder(_empty(tmp_path))
    with pytest.raises(DataError, match="wanted a folder of sound files, came none"):
        open_folder(tmp_path / "a.wav")


def _empty(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def with_value(value: float, subtype: str = "FLOAT") -> bytes:
    samples = TONE.astype(np.float64)
    samples[1234] = value
    return encoded(samples, subtype=subtype)


CUT = len(encoded(form="FLAC")) // 2
BAD: dict[str, bytes] = {
    "came an empty file": b"",
    "came a JPEG picture": b"\xff\xd8\xff\xe0" + bytes(300),
    "came an Ogg file": encoded(form="OGG", subtype="VORBIS"),
    "came a file that begins with b'nonsense'": b"nonsense and more",
    "came a file that begins with b'RIFF": b"RIFF\x10\0\0\0AVI LIST" + bytes(50),
    "came a WAV file of more than 4 GiB": b"RF64" + wav()[4:],
    "came a web page": b"<!DOCTYPE html>",
    # WAV
    "byte 44: truncated: the header says 5000 frames, there are 4978": wav()[:10_000],
    "truncated: the header says 2147483647 frames, there are 5000": wav(claim=2**32 - 2),
    "holds no samples": wav(b""),
    "9999 bytes of samples are no whole frames of 2 bytes": wav()[:40] + struct.pack("<I", 9999) + wav()[44:],
    "the chunk 'data' is missing": wav()[:36],
    "byte 12: damaged header: the chunk 'data' is missing": wav()[:15],
    "the chunk 'fmt ' does not come before 'data'": wav(before=b"data" + struct.pack("<I", 2) + b"ab"),
    "wanted 16 bytes of format, came 9": wav()[:16] + struct.pack("<I", 9) + wav()[20:29],
    "came encoding 0x0002 of 4 bits": wav(tag=2, bits=4, width=2),
    "came encoding 0x0001 of 12 bits": wav(bits=12, width=2),
    "1 channels of 16 bits are not 8 bytes a frame": wav(width=8),
    "0 channels of 16 bits": wav(channels=0, width=2),
    "and 1 to 64 channels, came 16000 Hz and 65 channels": wav(channels=65, samples=bytes(1300)),
    "wanted 1000 to 768000 Hz .* came 0 Hz": wav(rate=0),
    "frame 1234: wanted a value in \\[-1, 1\\], came nan": with_value(np.nan),
    "frame 1234: wanted a value in \\[-1, 1\\], came inf": with_value(np.inf),
    "frame 1234: wanted a value in \\[-1, 1\\], came -1.5": with_value(-1.5, "DOUBLE"),
    # FLAC
    "wanted 34 bytes of STREAMINFO": encoded(form="FLAC")[:20],
    "frame 0: cannot be decoded": encoded(form="FLAC")[:CUT],
    "does not say how many frames there are": b"fLaC\0\0\0\x22" + encoded(form="FLAC")[8:21] + bytes(400),
    # SPHERE
    "truncated: the header says 5000 frames, there are 4999": timit_sphere()[:-1],
    "wanted a header of 17 to": b"NIST_1A\n   none\n" + bytes(90),
    "wanted plain samples, came coding 'pcm,embedded-shorten-v2.00'": timit_sphere(
        extra="sample_coding -s26 pcm,embedded-shorten-v2.00\n"
    ),
    "wanted a whole number as sample_rate": timit_sphere().replace(b"sample_rate -i", b"sample_bait -i"),
    "0 channels of 2 bytes a sample": timit_sphere().replace(b"channel_count -i 1", b"channel_count -i 0"),
    "byte 1024: holds no samples": timit_sphere(b"", count=0),
}


@pytest.mark.parametrize("message", BAD)
def test_refuses(message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(BAD[message])
    for read in (lambda: read_audio(BAD[message], "bad.wav"), lambda: read_audio(path)):
        with pytest.raises(DataError, match=message) as caught:
            read()
        text = str(caught.value)
        assert text.partition("bad.wav")[1]
        assert "try" in text
        assert "\n" not in text
    if "value" not in message and "decoded" not in message:
        with pytest.raises(DataError, match=message):
            open_audio(path)


def test_a_flac_file_that_promises_more_than_it_holds(tmp_path: Path) -> None:
    data = bytearray(encoded(form="FLAC"))
    data[21] |= 0x0F  # the upper bits of the number of frames: more than 64 thousand million
    with pytest.raises(DataError, match="wanted at most 67,108,864 samples at once, came 64,42"):
        read_audio(bytes(data), "liar.flac")
    data[21:26] = b"\xf0" + struct.pack(">I", 6000)
    (tmp_path / "liar.flac").write_bytes(data)
    with pytest.raises(DataError, match=r"liar.flac, (frame 5000: truncated|at or after frame 0: cannot)"):
        open_audio(tmp_path / "liar.flac").read()


def test_bounds_what_is_read_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(audio, "SAMPLE_LIMIT", 4000)
    (tmp_path / "long.wav").write_bytes(encoded())
    with pytest.raises(DataError, match="wanted at most 4,000 samples at once, came 5,000; try open_audio"):
        read_audio(tmp_path / "long.wav")
    assert len(open_audio(tmp_path / "long.wav").read(10, 4010)) == 4000
    with pytest.raises(DataError, match="wanted at most 4,000 samples"):
        resample(audio.Recording("short", TONE[:3000], 8000), 16_000)


@pytest.mark.parametrize(("start", "stop"), [(-1, 4), (3, 2), (0, 5001), (5001, None)])
def test_refuses_samples_that_are_not_there(start: int, stop: int | None, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(encoded())
    for sound in (open_audio(tmp_path / "a.wav"), read_audio(tmp_path / "a.wav")):
        with pytest.raises(ShapeError, match="there are 5000"):
            sound.read(start, stop)


def test_refuses_what_is_no_plain_file_or_cannot_be_written(tmp_path: Path) -> None:
    for path, reason in [
        (tmp_path, "no plain file"),
        (tmp_path / "no", "No such file"),
        (Path("a\0"), "null"),
    ]:
        with pytest.raises(DataError, match=f"cannot be read \\(.*{reason}"):
            read_audio(path)
    with pytest.raises(DataError, match="cannot be written"):
        write_wav(tmp_path / "no" / "a.wav", TONE, RATE)
    with pytest.raises(DataError, match="frame 7: wanted a value in"):
        write_wav(tmp_path / "a.wav", np.where(np.arange(9) == 7, 1.01, 0.5), RATE)
    with pytest.raises(DataError, match="wanted samples"):
        write_wav(tmp_path / "a.wav", np.ones((2, 2)), RATE)


def test_nothing_is_warned_of_and_torch_may_write() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_audio(encoded()).samples.flags.writeable
