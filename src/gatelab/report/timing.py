"""The table of where the time of a run went."""

from __future__ import annotations

from gatelab.runs.profile import PARTS, Profile


def profile_table(profile: Profile) -> tuple[list[str], list[list[str]]]:
    """Return columns and rows: seconds in each part, by unit and in all, summed over trials.

    Shares are of the time that the workers had: their number times the wall-clock time of the training.
    """
    units = list(profile.seconds)
    whole = profile.workers * profile.training or 1.0
    rows = []
    for part, title in PARTS.items():
        spent = [profile.seconds[u].get(part, 0.0) for u in units]
        rows.append([title, *(f"{s:.2f}" for s in spent), f"{sum(spent):.2f}", f"{sum(spent) / whole:.1%}"])
    rows.append(["idle", *("–" for _ in units), f"{profile.idle:.2f}", f"{profile.idle / whole:.1%}"])
    totals = [sum(profile.seconds[u].values()) for u in units]
    rows.append(["sum", *(f"{t:.2f}" for t in totals), f"{sum(totals) + profile.idle:.2f}", "100.0%"])
    titles = [f"{u} ({profile.trials[u]})" for u in units]
    return ["seconds (trials)", *titles, "all", "share"], rows
