"""A plan of a study of two tasks, two cells and three trials each; nothing that could be trained."""

from gatelab.runs import Task
from gatelab.runs.study import study_plan

TASK = Task(
    dataset="made-up", load="made-up", title="made up", source="here", digest="0", sequences=(1, 1, 1),
    steps=(1, 1, 1), input_size=1, output_size=1,
)  # fmt: skip
SPACE = {
    "learning_rate": {"kind": "log-uniform", "low": 1e-6, "high": 1e-2},
    "hidden_size": {"kind": "log-uniform", "low": 20, "high": 200, "whole": True},
}
VALUES = {
    "name": "made-up",
    "tasks": ({"name": "a", "record": TASK}, {"name": "b", "record": TASK}),
    "cells": ({"name": "lstm", "cell": {}}, {"name": "gru", "cell": {}}),
    "space": SPACE,
    "trials": 3,
}
PLAN = study_plan(**VALUES)


def changed(**values):
    return study_plan(**{**VALUES, **values})
