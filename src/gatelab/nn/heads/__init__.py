"""Heads: from a layer's output to a distribution, with its loss; one file a head.

A head is a module. ``head(hidden)`` turns hidden rows [..., inputs] into answers [..., …], one tensor;
``head.nll(answers, target)`` is the negative log-likelihood of each row, [...], in nats; ``sample``,
``mean``, ``mode`` and ``quantile`` stand where they make sense.
"""

from gatelab.nn.heads.adaptive import AdaptiveSoftmax
from gatelab.nn.heads.bernoulli import Bernoulli
from gatelab.nn.heads.categorical import Categorical
from gatelab.nn.heads.ctc import CTC, CTCLoss
from gatelab.nn.heads.gaussian import Gaussian
from gatelab.nn.heads.mixture import GaussianMixture
from gatelab.nn.heads.quantiles import Quantiles
from gatelab.nn.heads.sampled import SampledSoftmax
from gatelab.nn.heads.student import StudentT

__all__ = [
    "CTC",
    "AdaptiveSoftmax",
    "Bernoulli",
    "CTCLoss",
    "Categorical",
    "Gaussian",
    "GaussianMixture",
    "Quantiles",
    "SampledSoftmax",
    "StudentT",
]
