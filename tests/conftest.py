"""What tests of several rooms share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def music_folder() -> Path:
    """Return the folder of the four known music sets, or skip where the machine has none."""
    root = os.environ.get("GATELAB_DATA")
    if not root:
        pytest.skip("GATELAB_DATA is not set: the four known music sets are not on this machine")
    folder = Path(root) / "poly_music"
    if not (folder / "JSB_Chorales.mat").is_file():
        pytest.skip(f"no JSB_Chorales.mat in {folder}: the four known music sets are not on this machine")
    return folder


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Point all data folders to an empty one."""
    monkeypatch.setenv("GATELAB_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GATELAB_CACHE", str(tmp_path / "cache"))
    return tmp_path
