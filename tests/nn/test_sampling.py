import pytest
import torch

from gatelab.errors import ConfigError
from gatelab.nn import draw


@pytest.mark.parametrize(("temperature", "top"), [(1.0, None), (0.5, None), (2.0, 3)])
def test_frequencies_are_the_probabilities(temperature, top):
    logits = torch.tensor([0.3, -1.0, 1.5, -float("inf"), 0.9], dtype=torch.float64)
    drawn = draw(logits.expand(200_000, 5), torch.Generator().manual_seed(7), temperature, top)
    found = torch.bincount(drawn, minlength=5) / len(drawn)
    if top is not None:
        logits = torch.where(logits >= logits.sort().values[-top], logits, -torch.inf)
    wanted = torch.softmax(logits / temperature, 0)
    assert (found - wanted).abs().max() < 5e-3
    assert found[3] == 0


def test_a_generator_repeats_itself():
    logits = torch.randn(50, 20)
    first, second = (draw(logits, torch.Generator().manual_seed(3)) for _ in range(2))
    assert first.tolist() == second.tolist()


@pytest.mark.parametrize("bad", [0.0, -1.0, float("inf"), float("nan"), "hot"])
def test_temperature_is_checked(bad):
    with pytest.raises(ConfigError, match="temperature"):
        draw(torch.randn(2, 3), temperature=bad)
