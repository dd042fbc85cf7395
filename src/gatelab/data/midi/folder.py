"""A folder or a zip archive of MIDI files as pieces, read in the order of their names."""

from __future__ import annotations

from dataclasses import dataclass

from gatelab.data.midi.notes import MIDI_LIMIT
from gatelab.data.midi.rolls import PAPER, Grid, MidiRoll, read_midi
from gatelab.data.tree import Tree
from gatelab.errors import DataError

ENDINGS = (".mid", ".midi")
FOLDER_STEPS = 10_000_000
"""The most time steps of a folder; they take 880 MB. The largest known set has 392,296."""


@dataclass(frozen=True, eq=False)
class Piece:
    """One file: its name in the folder, and its music."""

    name: str
    music: MidiRoll


@dataclass(frozen=True, eq=False)
class Pieces:
    """All MIDI files of a folder that could be read.

    Attributes
    ----------
    pieces
        In the order of their names.
    damaged
        For each file that was left out, why.
    digest
        SHA-256 of the names and contents of all MIDI files, 64 hexadecimal digits.
    """

    pieces: tuple[Piece, ...]
    damaged: tuple[str, ...]
    digest: str

    def left_out(self) -> list[str]:
        """Return what was left out, as parts of a sentence; what is nought is not said."""
        counts = {
            "files damaged": len(self.damaged),
            "notes beyond the piano": sum(piece.music.outside for piece in self.pieces),
            "notes on drums": sum(piece.music.drums for piece in self.pieces),
            "notes lost on the grid": sum(piece.music.lost for piece in self.pieces),
        }
        return [f"{count:,} {what}" for what, count in counts.items() if count]


def read_pieces(tree: Tree, grid: Grid = PAPER, skip_damaged: bool = False) -> Pieces:
    """Return the music of every .mid and .midi file of a folder or a zip archive.

    Parameters
    ----------
    tree
        The folder or archive.
    grid
        How notes become steps.
    skip_damaged
        Whether files that cannot be read are left out and counted; else the first of them is an error.

    Raises
    ------
    DataError
        There is no MIDI file, one is damaged, or they are too long together.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from gatelab.data.midi.write import write_midi
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "scale.mid").write_bytes(write_midi([[60], [62], [64]]))
    ...     found = read_pieces(Tree(pathlib.Path(folder)))
    >>> found.pieces[0].name, found.pieces[0].music.roll.shape, found.damaged
    ('scale.mid', (2, 88), ())
    """
    names = tree.names(*ENDINGS)
    if not names:
        wanted = "MIDI files (.mid, .midi)"
        raise DataError(
            f"{tree.path}: cannot be read as music: wanted {wanted}, came none; try another folder"
        )
    pieces, damaged, steps = list[Piece](), list[str](), 0
    for name in names:
        try:
            music = read_midi(tree.read(name, MIDI_LIMIT), tree.place(name), grid)
        except DataError as error:
            if not skip_damaged:
                raise
            damaged.append(str(error))
            continue
        pieces.append(Piece(name, music))
        steps += len(music.roll)
        if steps > FOLDER_STEPS:
            raise DataError(
                f"{tree.path}: wanted at most {FOLDER_STEPS:,} time steps, came more; try fewer files"
            )
    if not pieces:
        raise DataError(f"{tree.path}: all {len(names):,} MIDI files are damaged, the first: {damaged[0]}")
    return Pieces(tuple(pieces), tuple(damaged), tree.digest(names))
