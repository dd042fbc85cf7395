"""The walker: one function by which every reading goes over a graph."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from operator import attrgetter
from typing import TypeVar

from gatelab.graph.node import Node, make
from gatelab.graph.op import Op

V = TypeVar("V")


def topological(
    roots: Iterable[Node], sources: Callable[[Node], Iterable[Node]] = attrgetter("sources")
) -> list[Node]:
    """Return every node below the roots once, each after its sources, in a fixed order.

    ``sources`` says what a node needs; by default that from which it is made.
    """
    order: dict[Node, None] = {}
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, ready = stack.pop()
        if node in order:
            continue
        if ready:
            order[node] = None
        else:
            stack.append((node, True))
            stack.extend((source, False) for source in reversed(tuple(sources(node))))
    return list(order)


def fold(
    roots: Iterable[Node],
    rules: Mapping[Op, Callable[..., V]],
    known: Mapping[Node, V] | None = None,
) -> dict[Node, V]:
    """Return a value for every node below the roots, by its operation's rule.

    A rule is called as ``rule(node, *values of its sources)``. Nodes in ``known`` keep the value given
    there, and what lies below them is not visited.
    """
    values: dict[Node, V] = dict(known or {})
    stack = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, sources_done = stack.pop()
        if node in values:
            continue
        if sources_done:
            values[node] = rules[node.op](node, *[values[s] for s in node.sources])
        else:
            stack.append((node, True))
            stack.extend((source, False) for source in reversed(node.sources))
    return values


def depends_on(node: Node, op: Op) -> bool:
    """Return whether a node with this operation lies below ``node``, itself included."""
    return any(n.op is op for n in topological([node]))


def reached(nodes: Iterable[Node], starts: Collection[Op]) -> set[Node]:
    """Return the nodes, and those below them, that depend on a node with one of these operations."""

    def rule(node: Node, *sources: bool) -> bool:
        return node.op in starts or any(sources)

    marked = fold(nodes, dict.fromkeys(Op, rule))
    return {node for node, yes in marked.items() if yes}


def row_wise(nodes: Iterable[Node]) -> set[Node]:
    """Return the nodes that have a value for each row: those that depend on a leaf which has one."""
    return reached(nodes, {Op.INPUT, Op.STATE, Op.MASK, Op.COTANGENT})


def rebuild(node: Node, *sources: Node) -> Node:
    """Return ``node`` with other sources; itself where they are its own."""
    if sources == node.sources:
        return node
    return make(node.op, sources, node.attribute, node.width)


def substitute(roots: Iterable[Node], replacements: Mapping[Node, Node]) -> dict[Node, Node]:
    """Return, for every node below the roots, what it becomes once the replacements are made.

    What is put in is taken as it is: replacements are not applied inside it.
    """
    return fold(roots, dict.fromkeys(Op, rebuild), replacements)
