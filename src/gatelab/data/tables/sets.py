"""The known time series to forecast: their files, splits and homes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

FOLDER = "time_series"
SHARES = (0.7, 0.15, 0.15)


class SeriesSource(NamedTuple):
    """A known set: title, file, rows, split in rows or shares, horizon and context in steps, home."""

    title: str
    file: str
    rows: int
    split: tuple[float, float, float]
    horizon: int
    context: int
    home: str


_BROWNLEE = "https://github.com/jbrownlee/Datasets"
SERIES: Mapping[str, SeriesSource] = MappingProxyType(
    {
        "airline": SeriesSource(
            "Airline Passengers", "airline-passengers.csv", 144, SHARES, 12, 24, _BROWNLEE
        ),
        "sunspots": SeriesSource(
            "Monthly Sunspots", "monthly-sunspots.csv", 2820, SHARES, 12, 132, _BROWNLEE
        ),
        "temperatures": SeriesSource(
            "Daily Minimum Temperatures", "daily-min-temperatures.csv", 3650, SHARES, 7, 28, _BROWNLEE
        ),
        "etth1": SeriesSource(
            "ETTh1", "ETTh1.csv", 17420, (8640, 2880, 2880), 24, 96, "https://github.com/zhouhaoyi/ETDataset"
        ),
    }
)
"""The known sets by their names; ETTh1 is split as Zhou et al. 2021 (Informer) did, 12, 4 and 4 months."""
