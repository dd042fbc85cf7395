"""One file a paper: its protocol as data, and the numbers it reports."""

from gatelab.papers import chung2014, greff2015

PAPERS = {chung2014.KEY: chung2014}
"""Papers whose study is a comparison at equal budget."""
STUDIES = {greff2015.KEY: greff2015}
"""Papers whose study draws hyper-parameters from a space."""

__all__ = ["PAPERS", "STUDIES"]
