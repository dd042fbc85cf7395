"""Statistics of trainings: means over seeds, and studies, whose trials are compared cell by cell.

Of a study, every cell's trials on a task are a :class:`Sample`; :func:`compare_to_reference` says which cells
are worse or better, :func:`judge` what that says of a paper's claims.
"""

from gatelab.stats.findings import Claim, Finding, judge
from gatelab.stats.intervals import Interval, mean_interval, paired_difference
from gatelab.stats.reference import Comparison, compare_to_reference
from gatelab.stats.trials import Sample

__all__ = [
    "Claim",
    "Comparison",
    "Finding",
    "Interval",
    "Sample",
    "compare_to_reference",
    "judge",
    "mean_interval",
    "paired_difference",
]
