"""Cells as torch modules: layers of any cell, drop-in LSTM, GRU and RNN, and heads with their losses."""

from gatelab.nn.heads import Bernoulli
from gatelab.nn.native import GRU, LSTM, RNN
from gatelab.nn.recurrent import Recurrent
from gatelab.nn.stream import Stream

__all__ = ["GRU", "LSTM", "RNN", "Bernoulli", "Recurrent", "Stream"]
