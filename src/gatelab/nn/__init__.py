"""Cells as torch modules: layers of any cell, drop-in LSTM, GRU and RNN, heads, decoders."""

from gatelab.nn.beam import Sentence, beam_search
from gatelab.nn.heads import (
    CTC,
    AdaptiveSoftmax,
    Bernoulli,
    Categorical,
    CTCLoss,
    Gaussian,
    GaussianMixture,
    Quantiles,
    SampledSoftmax,
    StudentT,
)
from gatelab.nn.native import GRU, LSTM, RNN
from gatelab.nn.prefix import Hypothesis, prefix_search
from gatelab.nn.recurrent import Recurrent
from gatelab.nn.sampling import draw
from gatelab.nn.stream import Stream

__all__ = [
    "CTC",
    "GRU",
    "LSTM",
    "RNN",
    "AdaptiveSoftmax",
    "Bernoulli",
    "CTCLoss",
    "Categorical",
    "Gaussian",
    "GaussianMixture",
    "Hypothesis",
    "Quantiles",
    "Recurrent",
    "SampledSoftmax",
    "Sentence",
    "Stream",
    "StudentT",
    "beam_search",
    "draw",
    "prefix_search",
]
