"""The task: the convention of the NLL, the zero first input, no look ahead."""

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

import gatelab
from gatelab.data import MusicData, load_music
from gatelab.tasks import MusicTask
from gatelab.train import evaluate


def _task(*lengths):
    random = np.random.default_rng(0)
    split = tuple((random.random((n, 88)) < 0.05).astype(np.uint8) for n in lengths)
    return MusicTask(MusicData("x", "X", split, split, split, "made up", ""))


def test_the_measure_is_the_mean_over_all_steps_the_first_included():
    task = _task(1, 4, 9)
    network = task.network(gatelab.cells.get("gru"), 5)
    total = 0.0
    for sequence in task.data.test:
        target = torch.from_numpy(sequence).float()
        inputs = torch.cat([torch.zeros(1, 88), target[:-1]])
        output, _ = network.recurrent(inputs)
        p = torch.sigmoid(network.head(output)).double()
        total -= torch.log(torch.where(target > 0, p, 1 - p)).sum().item()
    assert evaluate(network, task, "test") == pytest.approx(total / (1 + 4 + 9), rel=1e-6)


def test_a_step_is_predicted_from_earlier_steps_only():
    task = _task(6)
    network = task.network(gatelab.cells.get("lstm"), 5)
    before = network(task.batch("test", [0]).inputs)
    changed = [s.copy() for s in task.data.test]
    changed[0][3] = 1 - changed[0][3]
    after = network(MusicTask(MusicData("x", "X", *[tuple(changed)] * 3, "", "")).batch("test", [0]).inputs)
    assert torch.equal(before[:4], after[:4])
    assert not torch.equal(before[4:], after[4:])


def test_a_batch_does_not_change_what_a_sequence_costs():
    task = _task(3, 8, 5)
    network = task.network(gatelab.cells.get("gru"), 5)

    def cost(chosen):
        batch = task.batch("test", chosen)
        return task.losses(network.head, network(batch.inputs), batch).sum()

    together, alone = cost([0, 1, 2]), sum(cost([k]) for k in range(3))
    torch.testing.assert_close(together, alone)


def test_the_zero_network_pays_one_bit_a_key():
    task = _task(3, 8)
    network = task.network(gatelab.cells.get("gru"), 5)
    for p in network.parameters():
        torch.nn.init.zeros_(p)
    assert evaluate(network, task, "test") == pytest.approx(88 * np.log(2))
    assert task.worst == pytest.approx(2 * 88 * np.log(2))


def test_baselines_of_the_built_in_chorales():
    baselines = MusicTask(load_music("chorales")).baselines()
    assert baselines["Markov"]["NLL"] < baselines["marginal"]["NLL"] < 12


@pytest.mark.parametrize("chosen", [[0], [2, 0, 3], [4, 3, 2, 1, 0], [1, 4]])
def test_a_batch_is_what_torch_would_pack(chosen):
    task = _task(3, 8, 5, 3, 8)
    sequences = [torch.from_numpy(task.data.train[k]).float() for k in chosen]
    shifted = [torch.cat([torch.zeros(1, 88), s[:-1]]) for s in sequences]
    batch = task.batch("train", chosen)
    inputs, targets = (pack_sequence(s, enforce_sorted=False) for s in (shifted, sequences))
    assert torch.equal(batch.inputs.data, inputs.data)
    assert torch.equal(batch.inputs.batch_sizes, inputs.batch_sizes)
    assert torch.equal(batch.targets, targets.data)
    assert batch.terms == sum(map(len, sequences))
    assert batch.inputs.sorted_indices is None  # longest first already: nothing is sorted again
