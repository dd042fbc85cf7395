"""One file a paper: its protocol as data, and the numbers it reports."""

from gatelab.papers import chung2014

PAPERS = {chung2014.KEY: chung2014}

__all__ = ["PAPERS"]
