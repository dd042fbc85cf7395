"""Every environment variable that gatelab reads, in one place.

=====================  ===========================================================================
``GATELAB_DATA``       folder with data sets (one sub-folder each); searched before all others
``GATELAB_CACHE``      folder for downloaded data; default: the user's cache folder
``GATELAB_RUNS``       folder in which run folders are made; default: ``runs`` in the current folder
``GATELAB_KERNEL``     the compiled library, where it is another than the one in the package
``GATELAB_VARIANT``    which variant of it runs: ``avx512``, ``avx2`` or ``base``; default: the best one
=====================  ===========================================================================
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path | None:
    """Return the folder named by ``GATELAB_DATA``, or None where the variable is not set."""
    value = os.environ.get("GATELAB_DATA", "")
    return Path(os.path.expanduser(value)) if value else None


def cache_folder() -> Path:
    """Return the folder for downloaded data: ``GATELAB_CACHE``, else the user's cache folder."""
    value = os.environ.get("GATELAB_CACHE", "")
    return Path(os.path.expanduser(value)) if value else Path(platformdirs.user_cache_dir("gatelab"))


def runs_folder() -> Path:
    """Return the folder for run folders: ``GATELAB_RUNS``, else ``runs`` in the current folder."""
    return Path(os.path.expanduser(os.environ.get("GATELAB_RUNS", "") or "runs"))


def kernel_library() -> Path | None:
    """Return the library named by ``GATELAB_KERNEL``, or None where the variable is not set."""
    value = os.environ.get("GATELAB_KERNEL", "")
    return Path(os.path.expanduser(value)) if value else None


def kernel_variant() -> str | None:
    """Return the variant named by ``GATELAB_VARIANT``, or None where the variable is not set."""
    return os.environ.get("GATELAB_VARIANT", "") or None
