"""Made-up sequences with known answers: unlimited for training, fixed for validation and test.

The k-th sequence of a split follows from the seed, the split and k alone, on every machine; so any part can
be made without the rest. The splits draw from streams of their own, which share no random numbers; short
sequences of few symbols may still come up in two of them.
"""

from gatelab.data.synthetic.adding import Adding
from gatelab.data.synthetic.arithmetic import Arithmetic
from gatelab.data.synthetic.brackets import Brackets
from gatelab.data.synthetic.copying import Copying, Memorisation
from gatelab.data.synthetic.example import Example, Synthetic
from gatelab.data.synthetic.parity import Parity
from gatelab.data.synthetic.tags import Tags

__all__ = [
    "Adding",
    "Arithmetic",
    "Brackets",
    "Copying",
    "Example",
    "Memorisation",
    "Parity",
    "Synthetic",
    "Tags",
]
