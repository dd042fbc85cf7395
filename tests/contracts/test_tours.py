"""The tours in docs/ do what they say, block by block, in an empty folder."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TOURS = {
    "tour-music.md": {"models/tunes/model.json": "GRU", "melody.mid": "", "melody.wav": ""},
    "tour-forecast.md": {"next-year.csv": "q0.5", "next-year.svg": "<svg", "models/sales/model.json": "lstm"},
}


@pytest.mark.slow
@pytest.mark.parametrize("tour", TOURS)
def test_a_tour_can_be_taken(tour, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"(?ms)^```(python|console)\n(.*?)^```", (DOCS / tour).read_text(encoding="utf-8"))
    assert len(blocks) >= 4
    for kind, text in blocks:
        if kind == "python":
            _python(text)
        else:
            for line in text.splitlines():
                _command(line)
    for name, held in TOURS[tour].items():
        content = (tmp_path / name).read_bytes()
        assert content
        assert held.lower() in content.decode("utf-8", "replace").lower()


def _python(text):
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _command(line):
    words = shlex.split(line)
    assert words[0] == "gatelab"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *words], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
