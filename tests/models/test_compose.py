"""Music and sound of a model: the stream is the network, seeds repeat, impossible wishes are refused."""

import numpy as np
import pytest
import torch

from gatelab.errors import ConfigError
from gatelab.models.compose import compose, label_of, speak
from gatelab.models.folder import load
from gatelab.nn import Bernoulli

KEYS = 88


@torch.no_grad()
def _by_hand(model, steps, temperature, seed, label=None):
    """Return a roll from the network's own steps."""
    generator, state = torch.Generator().manual_seed(seed), None
    x, rows = torch.zeros(1, 1, model.card.blueprint.inputs), []
    if label is not None:
        x[0, 0, KEYS + label] = 1
    for _ in range(steps):
        answers, state = model.network.carried(x, state)
        drawn = Bernoulli.sample(answers[0], generator, temperature)
        rows.append(drawn.numpy().astype(np.uint8))
        x = torch.zeros_like(x)
        x[0, 0, :KEYS] = drawn
    return np.stack(rows)


def test_music_by_the_stream_is_music_by_the_network(folders):
    model = load(folders("music"))
    for temperature, seed in ((1.0, 0), (1.6, 3)):
        found = compose(model, 30, temperature, seed)
        assert found.shape == (30, KEYS)
        assert found.any()
        assert np.array_equal(found, _by_hand(model, 30, temperature, seed))
    assert not np.array_equal(compose(model, 30, seed=0), compose(model, 30, seed=1))


def test_a_tune_begins_with_its_label(folders):
    model = load(folders("tune"))
    assert model.kept.labels == ("4/4", "6/8")
    for place, name in enumerate(model.kept.labels):
        assert np.array_equal(compose(model, 20, 1.5, 2, name), _by_hand(model, 20, 1.5, 2, place))
    assert label_of(model) == "4/4"
    assert np.array_equal(compose(model, 9, seed=4), compose(model, 9, seed=4, label="4/4"))


def test_sound_is_repeatable_and_as_long_as_asked(folders):
    model = load(folders("waveform"))
    first, rate = speak(model, 0.0625, seed=1)
    assert (len(first), rate) == (500, 8000)
    assert np.array_equal(first, speak(model, 0.0625, seed=1)[0])
    assert not np.array_equal(first, speak(model, 0.0625, seed=2)[0])
    assert len(np.unique(first)) > 400
    assert np.abs(first).max() <= 1
    assert len(speak(model, 1e-9)[0]) == 1


def test_sound_reads_what_it_wrote(folders):
    model = load(folders("waveform"))
    samples, _ = speak(model, 0.01, seed=5)
    mean, deviation = model.kept.scale.mean, model.kept.scale.deviation
    scaled = torch.tensor((np.concatenate([np.zeros(20), samples]) - mean) / deviation, dtype=torch.float32)
    steps = torch.stack([scaled[k : k + 20] for k in range(0, 80, 10)])[:, None]
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        answers = model.network(steps)
    drawn = [model.network.head.sample(answers[k : k + 1], generator)[0] for k in range(8)]
    assert torch.allclose(torch.cat(drawn), scaled[20:], atol=1e-3)


@pytest.mark.parametrize(
    ("name", "call", "said"),
    [
        ("music", lambda m: compose(m, 0), "1 to 10,000 steps"),
        ("music", lambda m: compose(m, 3, label="4/4"), "this model has none"),
        ("music", lambda m: compose(m, 3, temperature=0.0), "temperature"),
        ("music", lambda m: compose(m, 3, seed=-1), "seed"),
        ("tune", lambda m: compose(m, 3, label="3/4"), "known are 4/4, 6/8"),
        ("language", lambda m: compose(m, 3), "makes no music"),
        ("music", lambda m: speak(m, 1.0), "makes no waveform"),
        ("waveform", lambda m: speak(m, 0.0), "more than 0"),
        ("waveform", lambda m: speak(m, float("inf")), "at most 3,600"),
        ("waveform", lambda m: speak(m, 0.1, temperature=-1.0), "temperature"),
    ],
)
def test_what_is_impossible_is_refused(name, call, said, folders):
    with pytest.raises(ConfigError, match=said):
        call(load(folders(name)))
