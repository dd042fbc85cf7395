"""Texts as streams of codes: byte values, code points, or the numbers of words in the order of their coming.

A reader takes the blocks of one file, in order, and keeps what a block leaves unfinished, half a character or
half a word, for the next. Its codes are later put through a table that makes ids of them.
"""

from __future__ import annotations

import codecs
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gatelab import settings
from gatelab.data.splits import SPLITS
from gatelab.data.text.files import BLOCK, TextFile
from gatelab.data.text.vocabulary import BLANKS, LINE_END, Kind
from gatelab.errors import DataError

WORD_LIMIT = 2**20
"""The most bytes of one word; a file without blanks is no text of words."""
TYPE_LIMIT = 2**24
"""The most different words of a text."""
KEPT_IN_MEMORY = 2**25
"""Bytes of words' numbers above which they are kept in a file in the cache folder."""

Codes = NDArray[Any]
_BLANK_BYTES = [blank.encode() for blank in BLANKS]
_BYTE_ORDER_MARKS = {b"\xff\xfe\0\0": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class Reader(Protocol):
    """What makes codes of the blocks of a file."""

    def feed(self, block: bytes) -> Codes:
        """Return the codes that end in this block."""

    def close(self) -> Codes:
        """Return the codes that the end of the file ends."""


class Codebook:
    """What the codes of a text mean, and readers that make them; to be used in a ``with``.

    Words are looked up once: their numbers are kept, in memory or a temporary file, for the second time.

    Parameters
    ----------
    kind
        Bytes, characters or words.
    encoding
        How bytes stand for characters, one of Python's names; bytes have none.
    """

    def __init__(self, kind: Kind, encoding: str) -> None:
        self.kind, self.encoding = kind, encoding
        self.words = _Numbers()
        folder = str(settings.cache_folder())
        self._kept = tempfile.SpooledTemporaryFile(KEPT_IN_MEMORY, "w+b", dir=folder)  # noqa: SIM115

    def __enter__(self) -> Codebook:
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()

    def reader(self, place: str) -> Reader:
        """Return a reader of one file, which a message calls ``place``."""
        if self.kind == "bytes":
            return ByteReader()
        decoder = Decoder(self.encoding, place)
        return (
            CharacterReader(decoder) if self.kind == "characters" else WordReader(decoder, self.words, place)
        )

    def codes(self, files: Sequence[TextFile]) -> Iterator[tuple[int, Codes]]:
        """Yield (part, codes) of the files, in order."""
        for file in files:
            reader, part = self.reader(file.place), 0
            for part, block in file.blocks():
                yield part, reader.feed(block)
            yield part, reader.close()

    def again(self, files: Sequence[TextFile]) -> Iterator[Codes]:
        """Yield the codes of the files once more, after they were counted."""
        if self.kind != "words":
            yield from (codes for _, codes in self.codes(files))
            return
        self._kept.seek(0)
        while block := self._kept.read(BLOCK):
            yield np.frombuffer(block, np.int32)

    def counts(self, files: Sequence[TextFile]) -> NDArray[np.int64]:
        """Return how often each code occurs in training, validation and test ``[3, codes]``."""
        totals: list[NDArray[np.int64]] = [np.zeros(256, np.int64) for _ in SPLITS]
        for part, codes in self.codes(files):
            counted = np.bincount(codes)
            if self.kind == "words":
                self._kept.write(codes.data)
            if len(counted) > len(totals[part]):
                totals[part] = np.pad(totals[part], (0, 2 * len(counted) - len(totals[part])))
            totals[part][: len(counted)] += counted
        longest = max(map(len, totals))
        return np.stack([np.pad(total, (0, longest - len(total))) for total in totals])

    def symbols(self, codes: Iterable[int]) -> list[str]:
        """Return what codes mean."""
        if self.kind != "words":
            return list(map(chr, codes))
        words = list(self.words)
        return [words[code].decode() for code in codes]


class ByteReader:
    """The bytes themselves."""

    def feed(self, block: bytes) -> Codes:
        """Return the values ``[N]`` in uint8."""
        return np.frombuffer(block, np.uint8)

    def close(self) -> Codes:
        """Return nothing: a byte is never unfinished."""
        return np.zeros(0, np.uint8)


class Decoder:
    """Bytes to characters, block by block; what is no text is a DataError with its place."""

    def __init__(self, encoding: str, place: str) -> None:
        self.encoding, self.place, self.done = encoding, place, 0
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self._start = b""

    def decode(self, block: bytes, final: bool = False) -> str:
        """Return the characters that end in this block."""
        self._start = self._start or block[:4]
        before = self.done - len(self._decoder.getstate()[0])  # what the decoder holds back counts, too
        try:
            text = self._decoder.decode(block, final)
        except UnicodeError as error:
            raise self._wrong(error, before) from None
        self.done += len(block)
        return text

    def _wrong(self, error: UnicodeError, before: int) -> DataError:
        at = before + (error.start if isinstance(error, UnicodeDecodeError) else 0)
        marked = next(
            (name for mark, name in _BYTE_ORDER_MARKS.items() if self._start.startswith(mark)), None
        )
        other = marked if marked and self.encoding != marked else "latin-1"
        reason = getattr(error, "reason", None) or error
        return DataError(
            f"{self.place}, byte {at:,}: wanted text in {self.encoding}, came {reason}; "
            f"try encoding={other!r}, or level='bytes'"
        )


class CharacterReader:
    """Code points."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def feed(self, block: bytes) -> Codes:
        """Return the code points ``[N]``, in uint8 or uint32."""
        return self._codes(self._decoder.decode(block))

    def close(self) -> Codes:
        """Return what is left, if a whole character."""
        return self._codes(self._decoder.decode(b"", final=True))

    def _codes(self, text: str) -> Codes:
        if text.isascii():
            return np.frombuffer(text.encode("ascii"), np.uint8)
        try:
            return np.frombuffer(text.encode("utf-32-le"), "<u4")
        except UnicodeEncodeError as error:
            raise DataError(f"{self._decoder.place}: {error.reason}; try another encoding") from None


class _Numbers(dict[bytes, int]):
    """Numbers for words, given in the order of their coming."""

    def __missing__(self, word: bytes) -> int:
        number = self[word] = len(self)
        return number


class WordReader:
    """Numbers of words between blanks; a line feed is a word of its own, ``<eos>``."""

    def __init__(self, decoder: Decoder, numbers: _Numbers, place: str) -> None:
        self._decoder, self._numbers, self._place = decoder, numbers, place
        self._plain = codecs.lookup(decoder.encoding).name in ("utf-8", "ascii")
        self._begun = b""

    def feed(self, block: bytes) -> Codes:
        """Return the numbers ``[N]`` of the words that end in this block, in int32."""
        text = self._begun + self._as_utf8(block)
        end = max(map(text.rfind, _BLANK_BYTES)) + 1
        self._begun = text[end:]
        if len(self._begun) > WORD_LIMIT:
            at = self._decoder.done - len(self._begun)
            raise DataError(
                f"{self._place}, byte {at:,}: wanted words between blanks, came {len(self._begun):,} bytes "
                f"without one; try level='characters'"
            )
        return self._codes(text[:end])

    def close(self) -> Codes:
        """Return the last word, where no blank follows it."""
        return self._codes(self._begun + self._as_utf8(b"", final=True))

    def _as_utf8(self, block: bytes, final: bool = False) -> bytes:
        """Return the block in UTF-8, in which a blank's byte is never part of another character."""
        text = self._decoder.decode(block, final)
        if self._plain:
            return block
        try:
            return text.encode()
        except UnicodeEncodeError as error:
            raise DataError(f"{self._place}: {error.reason}; try another encoding") from None

    def _codes(self, text: bytes) -> Codes:
        words = text.replace(b"\n", f" {LINE_END} ".encode()).split()
        codes = np.fromiter(map(self._numbers.__getitem__, words), np.int32, len(words))
        if len(self._numbers) > TYPE_LIMIT:
            raise DataError(
                f"{self._place}: wanted at most {TYPE_LIMIT:,} different words; try level='characters'"
            )
        return codes
