"""Gaps are filled between what is known, however large it is."""

import numpy as np
import pytest

from gatelab.data.fill import fill_gaps


def test_the_largest_numbers_do_not_overflow():
    column = np.array([1e308, -1e308, np.nan, 1e308, np.nan])
    fill_gaps(column, np.isnan(column))
    assert column.tolist() == pytest.approx([1e308, -1e308, 0.0, 1e308, 1e308])


def test_usual_numbers_are_interpolated_exactly():
    column = np.array([np.nan, 3.0, np.nan, np.nan, 9.0])
    fill_gaps(column, np.isnan(column))
    assert column.tolist() == [3.0, 3.0, 5.0, 7.0, 9.0]
