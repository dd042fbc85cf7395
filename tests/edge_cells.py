"""Legal cells that no catalogue would have, which every engine and every export has to get right."""

from gatelab import cell, linear, maximum, mean, relu, sigmoid, step, tanh


@cell
def passed(x, h, c):
    return c, h


@cell
def constant(x, h, c):
    return tanh(linear(x, h, name="h")) * c, 0.5


@cell
def blind(x, h):
    return tanh(linear(h, name="h"))


@cell
def forgetful(x, h):
    return tanh(linear(x, name="h"))


@cell(widths={"level": "1"})
def levelled(x, h, level):
    new = tanh(linear(x, h, name="h") * level)
    return new, mean(new * new) + 0.5 * level


@cell
def same(x, h, c):
    new = tanh(linear(x, h, name="h") + c)
    return new, new


@cell
def late(x, h, c):
    return c, tanh(linear(x, h, name="h"))


@cell
def nothing(x, h):
    return tanh(linear(x, h, name="h")) + 0 * linear(x, h, name="z")


@cell
def cancelled(x, h):
    return tanh(linear(x, h - h, name="h")) + h


@cell
def divided(x, h):
    return tanh(linear(x, h * 0 + 1, name="h")) + h


@cell
def stepped(x, h):
    return step(linear(x, h, name="z")) * tanh(linear(x, h, name="h"))


@cell
def nowhere(x, h):
    return step(linear(x, h, name="z"))


@cell
def subtracted(x, h):
    return h - (-tanh(linear(x, h, name="h")))


@cell
def numbered(x, h):
    return sigmoid(1.0)


@cell
def biased(x, h):
    return tanh(linear(linear(x, name="a"), h, name="h"))


@cell
def bounded(x, h):
    return maximum(linear(x, h, name="h"), relu(linear(x, name="r", bias=False))) / 3


EDGES = [passed, constant, blind, forgetful, levelled, same, late, nothing, cancelled, divided, stepped,
         nowhere, subtracted, numbered, biased, bounded]  # fmt: skip
