"""``gatelab``, and ``python -m gatelab``, which is the same."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C is heard before there is one, too."""
    try:
        from gatelab.cli.main import run
    except KeyboardInterrupt:
        print("gatelab: stopped", file=sys.stderr)
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
