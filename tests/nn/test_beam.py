"""Beam search against all sentences, on tiny vocabularies."""

import itertools
import math

import pytest
import torch

from gatelab.errors import ConfigError, ShapeError
from gatelab.nn import beam_search

END, SYMBOLS, HIDDEN, LONGEST = 0, 4, 5, 4


class Decoder:
    """A small recurrent decoder whose next symbol depends on all before it, and on its member."""

    def __init__(self, batch, scale=2.0, seed=0):
        torch.manual_seed(seed)
        self.embedded = torch.randn(SYMBOLS, HIDDEN, dtype=torch.float64)
        self.recurrent = torch.randn(HIDDEN, HIDDEN, dtype=torch.float64)
        self.out = scale * torch.randn(HIDDEN, SYMBOLS, dtype=torch.float64)
        self.state = (
            torch.randn(1, batch, HIDDEN, dtype=torch.float64),
            torch.randn(3, batch, HIDDEN, dtype=torch.float64),  # as an encoder's output
        )
        self.calls = 0

    def __call__(self, symbols, state):
        self.calls += 1
        hidden, memory = state
        new = torch.tanh(self.embedded[symbols] + hidden[0] @ self.recurrent + memory.mean(0))
        return 3 + new @ self.out, (new.unsqueeze(0), memory)

    def log_probability(self, member, sentence):
        state = tuple(s[:, member : member + 1] for s in self.state)
        total, before = 0.0, torch.tensor([1])
        for symbol in sentence:
            logits, state = self(before, state)
            total += float(logits.log_softmax(-1)[0, symbol])
            before = torch.tensor([symbol])
        return total


def sentences():
    for length in range(1, LONGEST + 1):
        for body in itertools.product(range(1, SYMBOLS), repeat=length - 1):
            yield (*body, END)


@pytest.mark.parametrize("power", [0.0, 0.7, 1.0])
def test_a_wide_beam_finds_the_best_of_all(power):
    decoder = Decoder(3)
    found = beam_search(decoder, decoder.state, 1, END, 200, LONGEST, power)
    for member in range(3):
        scores = {s: decoder.log_probability(member, s) / len(s) ** power for s in sentences()}
        ended = [s for s in found[member] if s.ended]
        assert {s.symbols for s in ended} == set(scores)
        assert ended[0].symbols == max(scores, key=scores.get)
        assert [s.score for s in ended] == pytest.approx(sorted(scores.values(), reverse=True))


def greedy(decoder, member):
    sentence = []
    while len(sentence) < LONGEST and END not in sentence:
        sentence.append(max(range(SYMBOLS), key=lambda k: decoder.log_probability(member, [*sentence, k])))
    return tuple(sentence)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("power", [0.0, 1.0])
def test_width_one_is_greedy(seed, power):
    decoder = Decoder(6, seed=seed)
    found = beam_search(decoder, decoder.state, 1, END, 1, LONGEST, power)
    for member, (best,) in enumerate(found):
        assert best.symbols == greedy(decoder, member)
        assert best.ended == (best.symbols[-1] == END)
        assert best.log_probability == pytest.approx(decoder.log_probability(member, best.symbols))


def plain_search(decoder, member, width):
    """A beam that narrows as hypotheses end, as a list, for one member."""
    beam, ended = [()], []
    for _ in range(LONGEST):
        grown = [(*s, k) for s in beam for k in range(SYMBOLS)]
        best = sorted(grown, key=lambda s: -decoder.log_probability(member, s))[: width - len(ended)]
        ended += [s for s in best if s[-1] == END]
        beam = [s for s in best if s[-1] != END]
    return set(ended), set(beam)


@pytest.mark.parametrize("width", [2, 3, 6])
def test_narrow_beams_are_those_of_the_plain_search(width):
    decoder = Decoder(8, seed=width)
    found = beam_search(decoder, decoder.state, 1, END, width, LONGEST)
    for member, some in enumerate(found):
        ended, cut = plain_search(decoder, member, width)
        assert {s.symbols for s in some if s.ended} == ended
        assert {s.symbols for s in some if not s.ended} == cut
        assert some == sorted(some, key=lambda s: (not s.ended, -s.score))
        for s in some:
            assert s.log_probability == pytest.approx(decoder.log_probability(member, s.symbols))


def test_a_member_does_not_depend_on_its_neighbours():
    decoder = Decoder(5)
    together = beam_search(decoder, decoder.state, torch.tensor([1, 2, 3, 1, 2]), END, 3, 6, 1.0)
    for member, start in enumerate((1, 2, 3, 1, 2)):
        own = tuple(s[:, member : member + 1] for s in decoder.state)
        (alone,) = beam_search(decoder, own, start, END, 3, 6, 1.0)
        assert [s.symbols for s in alone] == [s.symbols for s in together[member]]


def test_it_stops_when_all_have_ended():
    calls = []

    def step(symbols, state):
        calls.append(1)
        return torch.tensor([9.0, -math.inf, -math.inf]).expand(len(symbols), 3), state

    found = beam_search(step, (torch.ones(2, 3),), 1, END, 4, 1000, batch_axis=0)
    assert [[s.symbols for s in some] for some in found] == [[(0,)]] * 2
    assert len(calls) == 1


def test_forbidden_symbols_stay_out():
    def step(symbols, state):
        return torch.tensor([-math.inf, 1.0, 1.0]).expand(len(symbols), 3), state

    ((*some,),) = beam_search(step, (torch.ones(1, 1),), 1, END, 3, 2)
    assert len(some) == 3
    assert not any(s.ended or 0 in s.symbols for s in some)


def test_the_batch_may_stand_first():
    decoder = Decoder(4)
    wanted = beam_search(decoder, decoder.state, 1, END, 3, LONGEST)

    def step(symbols, state):
        logits, new = decoder(symbols, tuple(s.transpose(0, 1) for s in state))
        return logits, tuple(s.transpose(0, 1) for s in new)

    first = tuple(s.transpose(0, 1) for s in decoder.state)
    assert beam_search(step, first, 1, END, 3, LONGEST, batch_axis=0) == wanted


def run(decoder, **changes):
    given = {"step": decoder, "state": decoder.state, "start": 1, "end": END, "width": 2, "longest": 3}
    return beam_search(**(given | changes))


@pytest.mark.parametrize(
    ("changes", "error", "word"),
    [
        ({"width": 0}, ConfigError, "width"),
        ({"longest": 0}, ConfigError, "longest"),
        ({"end": 4}, ConfigError, "end: wanted a symbol 0 to 3, got 4"),
        ({"end": -1}, ConfigError, "end"),
        ({"length_power": -1.0}, ConfigError, "length_power"),
        ({"length_power": math.nan}, ConfigError, "length_power"),
        ({"state": ()}, ShapeError, "at least one tensor"),
        ({"state": (torch.ones(1, 2), torch.ones(1, 3))}, ShapeError, "same number of members"),
        ({"state": (torch.ones(3),)}, ShapeError, "same number of members"),
        ({"start": torch.tensor([1, 1, 1])}, ShapeError, "start"),
        ({"step": lambda s, state: (torch.ones(3, 4), state)}, ShapeError, "logits"),
        ({"step": lambda s, state: (torch.ones(4, 4), (torch.ones(1, 2),))}, ShapeError, r"state\[0\]"),
    ],
)
def test_refusals(changes, error, word):
    with pytest.raises(error, match=word):
        run(Decoder(2), **changes)
