"""The known texts: their names, files, checksums and homes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gatelab.data.places import by_name, find_named
from gatelab.data.text.vocabulary import Kind


@dataclass(frozen=True)
class TextSource:
    """What is known of a text before it is read.

    Attributes
    ----------
    name, title, aliases
        Its short name, its name in tables, other names that are understood.
    folder, files, cut
        Where it lies below a data folder: names of one file to cut, or, where ``cut`` is False, the files for
        training, validation and test. Without a folder it is built in.
    level, fractions
        How it is read unless something else is asked for.
    digest
        SHA-256 of the file; of several, that of :func:`gatelab.data.text.files.digest`.
    home
        Where it is to be had.
    """

    name: str
    title: str
    aliases: tuple[str, ...]
    folder: str = ""
    files: tuple[str, ...] = ()
    cut: bool = True
    level: Kind = "characters"
    fractions: tuple[float, float, float] = (0.9, 0.05, 0.05)
    digest: str = ""
    home: str = ""


_PTB_FILES = ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt")
_PTB_DIGEST = "97d4b49ac627225aea12da5d2e9b938c79e877b3338675993a9d5d578c336f39"
_PTB_HOME = "T. Mikolov's simple-examples.tgz (data/ptb.*.txt)"
_CHAR_RNN = "github.com/karpathy/char-rnn"


TEXTS: Mapping[str, TextSource] = by_name(
    TextSource("stdlib", "Python's standard library", ("python",)),
    TextSource(
        "warpeace",
        "War and Peace",
        ("war-and-peace", "wp"),
        folder="warpeace",
        files=("warpeace_input.txt",),
        level="bytes",
        fractions=(0.8, 0.1, 0.1),
        digest="fb66ba999dafe24017cdd59e04c56d385a9c8466993d374fd4c6f08b2142985e",
        home="github.com/ThingsOfBeam/Corpus (with CR LF as line ends, 3,258,246 bytes)",
    ),
    TextSource(
        "linux",
        "Linux kernel 6.1",
        ("linux-kernel", "lk"),
        folder="linux",
        files=("linux_input.txt",),
        level="bytes",
        digest="4814f530bae4f6dc059127eb6daa65ae300b7b345f9676024dfdd06cedc45567",
        home="Debian's linux-source-6.1 6.1.192-2: kernel/**/*.[ch] by the SHA-1 of their paths",
    ),
    TextSource(
        "tinyshakespeare",
        "Tiny Shakespeare",
        ("shakespeare", "tiny-shakespeare"),
        folder="tinyshakespeare",
        files=("input.txt", "tinyshakespeare.txt"),
        digest="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        home=f"{_CHAR_RNN}, data/tinyshakespeare/input.txt",
    ),
    TextSource(
        "ptb",
        "Penn Treebank, words",
        ("penn-treebank", "ptb-words"),
        folder="ptb",
        files=_PTB_FILES,
        cut=False,
        level="words",
        digest=_PTB_DIGEST,
        home=_PTB_HOME,
    ),
    TextSource(
        "ptb-characters",
        "Penn Treebank, characters",
        ("ptb-chars", "penn-treebank-characters"),
        folder="ptb",
        files=_PTB_FILES,
        cut=False,
        digest=_PTB_DIGEST,
        home=_PTB_HOME,
    ),
)
"""The known texts by their short names."""


def find_text(asked: str) -> TextSource:
    """Return the text that a name or an alias means; case, ``-``, ``_`` and spaces make no difference.

    Raises
    ------
    ConfigError
        No text has this name; the message lists near misses and all names.

    Examples
    --------
    >>> find_text("War and Peace").name
    'warpeace'
    """
    return find_named(asked, TEXTS, "text", "a path such as ./my.txt")
