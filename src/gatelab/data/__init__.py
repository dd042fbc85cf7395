"""Data sets and their formats, and the baselines printed beside results on them."""

from gatelab.data.baselines import marginal_nll, markov_nll
from gatelab.data.music import MusicData, load_music
from gatelab.data.music_sets import MUSIC, MusicSource

__all__ = ["MUSIC", "MusicData", "MusicSource", "load_music", "marginal_nll", "markov_nll"]
