"""``python -m gatelab`` is ``gatelab``."""

from gatelab.cli.main import run

run()
