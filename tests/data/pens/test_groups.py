"""Groups are never torn apart, and each split gets one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatelab.data.pens.groups import split_groups
from gatelab.errors import ConfigError, DataError


@settings(max_examples=100, deadline=None)
@given(st.sets(st.text(min_size=1, max_size=5), min_size=3, max_size=60))
def test_a_tenth_each(groups: set[str]) -> None:
    found = split_groups(groups)
    count = list(found.values()).count
    assert set(found) == groups
    assert count("test") == count("valid") == max(1, round(len(groups) / 10))
    assert found == split_groups(sorted(groups, reverse=True))


def test_does_not_change_between_versions() -> None:
    found = split_groups(f"page{k}" for k in range(20))
    assert sorted(k for k, v in found.items() if v == "test") == ["page0", "page7"]
    assert sorted(k for k, v in found.items() if v == "valid") == ["page1", "page15"]


@pytest.mark.parametrize("groups", [[], ["a"], ["a", "b"]])
def test_too_few(groups: list[str]) -> None:
    with pytest.raises(DataError, match=f"mine: wanted at least 3 groups .* came {len(groups)}"):
        split_groups(groups, place="mine")


def test_refuses_wrong_names() -> None:
    groups = ["page1", "page2", "page3"]
    with pytest.raises(ConfigError, match="wanted both valid and test"):
        split_groups(groups, valid=["page1"])
    with pytest.raises(ConfigError, match="no group 'pag2'; did you mean page"):
        split_groups(groups, ["page1"], ["pag2"])
    with pytest.raises(ConfigError, match="'page1' is chosen twice"):
        split_groups(groups, ["page1"], ["page1"])
    with pytest.raises(DataError, match="wanted groups"):
        split_groups(groups, ["page1", "page2"], ["page3"])
