import json

import pytest

from gatelab.data import load_music


@pytest.fixture(scope="session")
def few_chorales(tmp_path_factory):
    """A file of a few chorales, on which a training takes a moment."""
    data = load_music("chorales")
    notes = {
        split: [[(step.nonzero()[0] + 21).tolist() for step in s] for s in getattr(data, split)[:8]]
        for split in ("train", "valid", "test")
    }
    path = tmp_path_factory.mktemp("music") / "few.json"
    path.write_text(json.dumps(notes))
    return path
