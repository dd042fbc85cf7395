"""Text and translations of a model."""

import pytest
import torch

from gatelab.errors import ConfigError, DataError
from gatelab.models.folder import load
from gatelab.models.write import translate_lines, write_text
from gatelab.nn import Stream
from gatelab.nn.sampling import draw
from gatelab.tasks.translate import LONGEST


def test_text_goes_on_after_the_prompt_and_repeats_by_its_seed(folders):
    model = load(folders("language"))
    text = write_text(model, 40, "def ", seed=3)
    assert text.startswith("def ")
    assert len(text) == 44
    assert text == write_text(model, 40, "def ", seed=3)
    assert text != write_text(model, 40, "def ", seed=4)
    assert len(write_text(model, 7)) == 7


def test_a_stream_of_one_hot_symbols_writes_the_same(folders):
    model = load(folders("language"))
    symbols = model.kept.symbols
    stream = Stream(model.network.recurrent, model.network.head)
    eye, generator = torch.eye(len(symbols)), torch.Generator().manual_seed(9)
    for symbol in symbols.encode("def "):
        answers = stream.step(eye[int(symbol)])
    written = []
    for _ in range(25):
        written.append(int(draw(answers[None], generator, 0.8)))
        answers = stream.step(eye[written[-1]])
    assert write_text(model, 25, "def ", 0.8, seed=9) == "def " + symbols.decode(written)


def test_a_low_temperature_takes_the_likeliest(folders):
    model = load(folders("language"))
    cold = {write_text(model, 12, "import ", 1e-6, seed=s) for s in range(3)}
    assert cold == {write_text(model, 12, "import ", top=1)}


def test_words_have_blanks_between_and_lines_end(folders):
    model = load(folders("words"))
    text = write_text(model, 60, "the", seed=1)
    assert text.startswith("the")
    assert "  " not in text
    assert " \n" not in text
    with pytest.raises(DataError, match="at least one symbol"):
        write_text(model, 5, "  ")


def test_bytes_are_any(folders):
    model = load(folders("bytes"))
    assert write_text(model, 9, "self", seed=2).startswith("self")
    odd = b"\xff".decode("utf-8", "surrogateescape")
    with pytest.raises(DataError, match="byte 255"):  # never met in training, and bytes have no <unk>
        write_text(model, 3, odd)


@pytest.mark.parametrize(
    ("name", "call", "said"),
    [
        ("music", lambda m: write_text(m, 3), "writes no text"),
        ("language", lambda m: write_text(m, 0), "wanted 1 to 10,000,000 symbols"),
        ("language", lambda m: write_text(m, 3, temperature=0.0), "temperature"),
        ("language", lambda m: write_text(m, 3, top=10_000), "top"),
        ("language", lambda m: write_text(m, 3, seed=-1), "seed"),
        ("language", lambda m: list(translate_lines(m, ["a"])), "does not translate"),
    ],
)
def test_what_is_impossible_is_refused(name, call, said, folders):
    with pytest.raises(ConfigError, match=said):
        call(load(folders(name)))


def test_empty_lines_stay_empty_and_batches_make_no_difference(folders):
    model = load(folders("translate"))
    lines = ["3 Hunde laufen.", "", "5 Hunde laufen.", "  ", "Unbekanntes", "3 Hunde laufen."]
    found = list(translate_lines(model, lines))
    assert [bool(line) for line in found][1::2][:2] == [False, False]
    assert len(found) == len(lines)
    assert found[0] == found[5]
    assert found == list(translate_lines(model, lines, batch=1))
    assert all(len(line.split()) <= LONGEST for line in found)
    assert list(translate_lines(model, [])) == []
    assert list(translate_lines(model, ["", ""])) == ["", ""]


def test_greedy_translations_are_those_of_the_task(folders, posed, made_up):
    model, task = load(folders("translate")), posed("translate")
    lines = (made_up / "pairs" / "test.de").read_text().splitlines()
    assert list(translate_lines(model, lines, beam=1)) == task.written(model.network, "test")
