"""Statistics of repeated trainings: means over seeds and paired differences, with intervals."""

from gatelab.stats.intervals import Interval, mean_interval, paired_difference

__all__ = ["Interval", "mean_interval", "paired_difference"]
