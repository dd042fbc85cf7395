"""Which engine is taken, and the reason that is told."""

import pytest
import torch

from gatelab.engine import ENGINES, choose
from gatelab.engine.library import variant
from gatelab.errors import EngineError


def test_the_tile_machine_is_taken_where_it_can():
    assert [choose(name).name for name in ENGINES] == ["tile", "tile", "reference"]
    assert choose("auto").reason == f"the fastest on this machine ({variant()}, float32)"
    assert choose("tile", dtype=torch.float64).reason == f"asked for ({variant()}, float64)"
    assert str(choose("reference")) == "reference: asked for"


@pytest.mark.parametrize(
    ("device", "dtype", "said"),
    [
        ("cuda:1", torch.float32, "runs on the CPU, and the weights are on cuda:1"),
        ("meta", torch.float32, "runs on the CPU, and the weights are on meta"),
        ("cpu", torch.bfloat16, "computes in float32 and float64, and the weights are torch.bfloat16"),
    ],
)
def test_where_it_cannot_the_reason_is_told(device, dtype, said):
    assert choose("auto", device, dtype).name == choose("reference", device, dtype).name == "reference"
    assert choose("auto", device, dtype).reason == f"the tile machine {said}"
    with pytest.raises(EngineError, match=f"engine 'tile' {said}; try engine='auto' or 'reference'"):
        choose("tile", device, dtype)


def test_an_unknown_engine_has_near_misses():
    with pytest.raises(
        EngineError, match=r"unknown engine 'refrence'; did you mean reference\?; known are auto, "
    ):
        choose("refrence")
