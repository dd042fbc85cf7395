"""Watched values from the tile machine, through layers, directions and layouts."""

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from gatelab.errors import CellError
from layers import layer_of, normal, same, twin

LENGTHS = (4, 1, 6, 3)


@pytest.fixture(autouse=True)
def own_memory(unwritten):
    torch.set_num_threads(1)


@pytest.mark.parametrize(
    "form", [{}, {"num_layers": 2, "bidirectional": True}, {"batch_first": True}], ids=str
)
@pytest.mark.parametrize("lengths", [None, [4, 1, 3]], ids=str)
def test_watched_values_are_the_reference_s(form, lengths):
    layer = layer_of("lstm", **form)
    x = normal(3, 4, 5) if form.get("batch_first") else normal(4, 3, 5)
    found = []
    for one in (layer, twin(layer)):
        output, _, seen = one(x, lengths=lengths, watch=["i", "f", "c", "h", "g"])
        loss = output.sum() + sum((v * v).sum() for v in seen.values())
        found.append([output, *seen.values(), *torch.autograd.grad(loss, list(one.parameters()))])
    same(*found)
    assert torch.equal(output, torch.cat(list(seen["h"][-layer.num_directions :]), -1))


def test_watched_values_of_packed_and_single_sequences():
    layer, x = layer_of("gru", bidirectional=True), normal(6, 4, 5)
    packed = pack_padded_sequence(x, torch.tensor(LENGTHS), enforce_sorted=False)
    output, _, seen = layer(packed, watch=["z"])
    padded, _, wanted = layer(x, lengths=LENGTHS, watch=["z"])
    same([pad_packed_sequence(output)[0]], [padded])
    ours = pad_packed_sequence(output._replace(data=seen["z"][1]))[0]
    same([ours], [wanted["z"][1]])
    _, _, alone = layer(x[:4, 0], watch=["z"])
    same([alone["z"]], [wanted["z"][:, :4, 0]])


def test_an_unknown_watched_value_has_near_misses():
    with pytest.raises(CellError, match="cell 'lstm' has no value named 'cc'; did you mean c"):
        layer_of("lstm")(normal(2, 2, 5), watch=["cc"])
