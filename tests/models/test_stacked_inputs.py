"""A sound file is read as in training: scaled, and so many frames a step as the model says."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gatelab.data.speech.audio import read_audio, write_wav
from gatelab.data.speech.mfcc import mfcc, stacked
from gatelab.errors import RunError
from gatelab.models.inputs import read_inputs
from gatelab.models.kept import read_kept
from gatelab.tasks.blueprint import Blueprint

RATE = 8000
SCALE = {"mean": [1.0] * 39, "deviation": [2.0] * 39}


@pytest.fixture
def sound(tmp_path):
    path = tmp_path / "voice.wav"
    random = np.random.default_rng(4)
    write_wav(path, (0.1 * random.normal(size=RATE)).astype(np.float32), RATE)
    return path


def _kept(stack, inputs=None):
    blueprint = Blueprint(inputs=inputs or 39 * stack, head="categorical", outputs=2, reads="end")
    kept = {"names": ["a", "b"], "inputs": "mfcc", "rate": RATE, "scale": SCALE, "stack": stack}
    return read_kept("classify", kept, blueprint, Path("model.json"))


def _read(stack, path):
    return dict(read_inputs(_kept(stack), path, 39 * stack))[path.name]


def test_frames_are_stacked_as_the_model_says(sound):
    plain = _read(1, sound)
    assert plain.shape == (98, 39)
    assert np.array_equal(_read(8, sound).numpy(), stacked(plain.numpy(), 8))


def test_they_are_scaled_before(sound):
    heard = read_audio(sound, rate=RATE)
    frames = mfcc(heard.samples, heard.rate)
    assert torch.allclose(_read(2, sound)[:, :39], torch.from_numpy((frames[::2] - 1) / 2), atol=1e-5)


@pytest.mark.parametrize("stack", [0, -3, 1001, 10**12, "eight", 2.5])
def test_an_impossible_stack_is_refused(stack):
    with pytest.raises(RunError, match="stack"):
        _kept(stack, inputs=39)
    with pytest.raises(RunError, match="inputs"):
        _kept(2, inputs=39)
