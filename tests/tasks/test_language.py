"""Language models: every symbol counts once, states are carried, blocks are what scores are kept of."""

import numpy as np
import pytest
import torch

import gatelab
from gatelab.data.text.corpus import Corpus
from gatelab.data.text.vocabulary import Vocabulary
from gatelab.errors import ConfigError
from gatelab.runs import Body
from gatelab.tasks.language import BLOCK, LanguageTask
from gatelab.train.evaluate import score

LETTERS = "abcdefg"


def _task(sizes=(2600, 2307, 1411), **options):
    random = np.random.default_rng(0)
    ids = random.integers(0, 7, sum(sizes)).astype(np.uint8)
    corpus = Corpus(
        "made-up",
        "Made up",
        Vocabulary("characters", tuple(LETTERS)),
        ids,
        sizes,
        (0, 0, 0),
        sizes,
        "here",
        "ab",
    )
    return LanguageTask(corpus, **options)


def _network(task, hidden=6):
    torch.manual_seed(0)
    return task.network(gatelab.cells.get("lstm"), hidden)


def test_evaluation_predicts_all_but_the_first_symbol_of_each_lane_once():
    task = _task()
    for split, size in (("valid", 2307), ("test", 1411)):
        owners = torch.cat([b.owner for b in task.evaluation(split)])
        assert len(owners) == sum(task.lengths(split)) == size - 32
        assert owners.bincount().tolist() == task.lengths(split)
        assert task.lengths(split)[0] == BLOCK
        targets = torch.cat([b.targets for b in task.evaluation(split)])
        seen = np.sort(np.concatenate([np.asarray(task._ids(split))]))
        assert len(seen) - len(targets) == 32


def test_evaluation_is_the_text_read_lane_by_lane():
    task = _task()
    network = _network(task).eval()
    lanes, ids = 32, np.asarray(task.corpus.test, np.int64)
    length, total = len(ids) // lanes, 0.0
    for k in range(lanes):
        stop = len(ids) if k == lanes - 1 else (k + 1) * length
        lane = torch.from_numpy(ids[k * length : stop])
        total += _cost(network, lane[: length if k == lanes - 1 else None])
    rest = torch.from_numpy(ids[lanes * length - 1 :])
    total += _cost(network, rest) if len(rest) > 1 else 0.0
    found = score(network, task, "test")
    assert found.numbers["NLL"].sum(0).tolist() == pytest.approx([total, len(ids) - lanes], rel=1e-5)


def _cost(network, lane):
    with torch.no_grad():
        answers = network(lane[:-1, None])
    return float(torch.nn.functional.cross_entropy(answers, lane[1:], reduction="sum"))


def test_training_carries_the_state_from_piece_to_piece():
    task = _task(unroll=20)
    network = _network(task).eval()
    pieces = list(task.batches("train", 4, seed=1, epoch=2))
    assert [b.fresh for b in pieces] == [True, *[False] * (len(pieces) - 1)]
    state, parts = None, []
    for batch in pieces:
        answers, state = network.carried(batch.inputs, None if batch.fresh else state)
        parts.append(answers.unflatten(0, batch.inputs.shape[:2]))
    whole = network(torch.cat([b.inputs for b in pieces])).unflatten(0, (-1, 4))
    torch.testing.assert_close(torch.cat(parts), whole)


def test_pieces_follow_each_other_and_begin_elsewhere_in_every_epoch():
    task = _task(unroll=20)
    first = torch.cat([b.inputs for b in task.batches("train", 4, seed=1, epoch=1)])
    targets = torch.cat([b.targets.unflatten(0, (-1, 4)) for b in task.batches("train", 4, seed=1, epoch=1)])
    assert torch.equal(first[1:], targets[:-1])
    starts = {tuple(next(task.batches("train", 4, seed=1, epoch=e)).inputs[:, 0].tolist()) for e in range(8)}
    assert len(starts) > 3


def test_bits_are_nats_over_log_two_and_words_have_a_perplexity():
    task = _task()
    values = score(_network(task), task, "test").values()
    assert values["bits"] == pytest.approx(values["NLL"] / np.log(2))
    corpus = task.corpus
    words = Vocabulary("words", tuple(LETTERS))
    other = LanguageTask(Corpus("w", "W", words, corpus.ids, corpus.sizes, (0,) * 3, (1,) * 3, "", ""))
    values = score(_network(other), other, "test").values()
    assert values["perplexity"] == pytest.approx(np.exp(values["NLL"]))
    assert other.record().measures[0].unit == "nats per word"


def test_embeddings_and_dropout():
    task = _task(embedding=3)
    network = task.network(gatelab.cells.get("gru"), 5, Body(layers=2, dropout=0.5))
    assert network.recurrent.input_size == 3
    batch = next(task.batches("train", 4, 0, 1))
    assert not torch.equal(network(batch.inputs), network(batch.inputs))
    network.eval()
    assert torch.equal(network(batch.inputs), network(batch.inputs))
    with pytest.raises(ConfigError, match="wanted at least 1"):
        _task(unroll=0)


def test_a_random_text_costs_its_entropy():
    baselines = _task().baselines()
    assert baselines["1-gram"]["NLL"] == pytest.approx(np.log(7), abs=0.01)
    assert baselines["Markov"]["bits"] == pytest.approx(np.log2(7), abs=0.05)
