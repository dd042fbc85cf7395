"""Trained networks: folders that hold all that is needed to use them, and what they do with new data."""

from gatelab.models.estimators import Classifier, Labeller
from gatelab.models.folder import Model, load, save
from gatelab.models.forecaster import Forecaster
from gatelab.models.live import SymbolStream, stream

__all__ = ["Classifier", "Forecaster", "Labeller", "Model", "SymbolStream", "load", "save", "stream"]
