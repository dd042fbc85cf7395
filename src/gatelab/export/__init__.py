"""Trained layers taken elsewhere, and brought from elsewhere: ONNX models, weights of torch and Keras."""

from gatelab.export.keras_weights import from_keras
from gatelab.export.onnx_model import export_onnx, onnx_model
from gatelab.export.recognise import recognise
from gatelab.export.torch_weights import from_torch
from gatelab.export.whole import Parts, onnx_network

__all__ = ["Parts", "export_onnx", "from_keras", "from_torch", "onnx_model", "onnx_network", "recognise"]
