"""``python -m gatelab`` is ``gatelab``."""

import sys

try:
    from gatelab.cli.main import run
except KeyboardInterrupt:  # Ctrl-C before there is a command line to hear it
    sys.exit(130)

run()
