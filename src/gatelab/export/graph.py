"""An ONNX graph while it is written: nodes, and the arrays that they read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from onnx import GraphProto, ValueInfoProto

Array = np.ndarray[Any, np.dtype[Any]]


class Graph:
    """Nodes in their order, each value by its name; names and arrays are shared with the bodies inside.

    Parameters
    ----------
    outer
        The graph in which this one is a body. A body may read all that stands before it there.
    """

    def __init__(self, outer: Graph | None = None) -> None:
        self.nodes: list[Any] = []
        self.root: Graph = self if outer is None else outer.root
        self.arrays: dict[str, Array] = {} if outer is None else outer.arrays
        self.named: dict[str, list[str]] = {} if outer is None else outer.named
        self.taken: set[str] = set() if outer is None else outer.taken
        self.read: set[str] = set() if outer is None else outer.read

    def fresh(self, stem: str) -> str:
        """Return a name that no value has yet."""
        known = self.named.setdefault(stem, [])
        name, count = stem, len(known) + 1
        while name in self.taken:
            name, count = f"{stem}_{count}", count + 1
        self.taken.add(name)
        known.append(name)
        return name

    def add(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Write a node with one result; return the result's name."""
        return self.add_several(kind, inputs, [name or self.fresh(kind.lower())], **attributes)[0]

    def add_several(
        self, kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any
    ) -> Sequence[str]:
        """Write a node; an empty name stands for an input or output that is left out."""
        from onnx import helper

        self.read.update(inputs)
        self.nodes.append(helper.make_node(kind, inputs, outputs, **attributes))
        return outputs

    def array(self, value: Array, name: str) -> str:
        """Return the name under which the array can be read; equal ones of one name are kept once."""
        for known in self.named.get(name, ()):
            old = self.arrays.get(known)
            if old is not None and old.dtype == value.dtype and np.array_equal(old, value):
                return known
        name = self.fresh(name)
        self.arrays[name] = np.ascontiguousarray(value).reshape(value.shape)
        return name

    def whole(self, *numbers: int) -> str:
        """Return whole numbers as a vector, as ONNX wants axes, shapes and indices."""
        return self.array(np.array(numbers, np.int64), "_".join(["whole", *map(str, numbers)]))

    def written(
        self, name: str, inputs: Sequence[ValueInfoProto], outputs: Sequence[ValueInfoProto]
    ) -> GraphProto:
        """Return the graph as ONNX keeps it, with the arrays that are read where it is the outermost."""
        from onnx import helper, numpy_helper

        kept = {k: v for k, v in self.arrays.items() if k in self.read} if self.root is self else {}
        tensors = [numpy_helper.from_array(value, key) for key, value in kept.items()]
        return helper.make_graph(self.nodes, name, inputs, outputs, tensors)


def value_info(name: str, kind: np.dtype[Any], shape: Sequence[str | int]) -> ValueInfoProto:
    """Return an input or output as ONNX declares it; axes of any size have names."""
    from onnx import helper

    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(kind), shape)
