"""Vega, Vega-Lite and Vega-Embed as one script, which takes seconds to put together and so is kept."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

import vl_convert

from gatelab import settings
from gatelab.errors import RunError
from gatelab.runs import write_atomic

_GLOBALS = "window.vegaEmbed = vegaEmbed; window.vega = vega; window.vegaLite = vegaLite;"


@cache
def bundle() -> str:
    """Return the script, such that it can stand in a page.

    It is looked for in the cache folder, under the version of its maker, and taken only where it is whole;
    else it is made, and kept there where the folder can be written.
    """
    path = _place()
    kept = _kept(path)
    if kept is not None:
        return kept
    made: str = vl_convert.javascript_bundle(_GLOBALS)
    script = made.replace("\r", "").replace("</script", "<\\/script").replace("<!--", "<\\!--")
    with suppress(OSError, RunError):  # only time is lost without it
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, _digest(script) + "\n" + script)
    return script


def _place() -> Path:
    name = f"vega-{version('vl-convert-python')}-{_digest(_GLOBALS)[:8]}.js"
    return settings.cache_folder() / "report" / name


def _kept(path: Path) -> str | None:
    try:
        digest, _, script = path.read_bytes().decode().partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return script if digest == _digest(script) else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
