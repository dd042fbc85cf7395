"""The page's script is made once, kept in the cache folder, and taken from there only where it is whole."""

import pytest

from gatelab.report import bundle as module
from gatelab.report.bundle import bundle


@pytest.fixture
def maker(monkeypatch, tmp_path):
    """Return how often the script was made; an empty cache folder."""
    made = []

    def make(globals_):
        made.append(globals_)
        return "let a = '</script><!--';\r\n"

    monkeypatch.setenv("GATELAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module.vl_convert, "javascript_bundle", make)
    bundle.cache_clear()
    yield made
    bundle.cache_clear()


def _again():
    bundle.cache_clear()
    return bundle()


def test_it_is_made_once_and_can_stand_in_a_page(maker):
    first = bundle()
    assert _again() == first == "let a = '<\\/script><\\!--';\n"
    assert len(maker) == 1


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"0" * 64 + b"\nother()"])
def test_a_damaged_one_is_made_anew(maker, damage):
    first = bundle()
    module._place().write_bytes(damage)
    assert _again() == first
    assert len(maker) == 2
    assert _again() == first
    assert len(maker) == 2


def test_a_cache_folder_that_cannot_be_made_costs_only_time(maker, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("GATELAB_CACHE", str(tmp_path / "file"))
    assert bundle() == _again()
    assert len(maker) == 2
