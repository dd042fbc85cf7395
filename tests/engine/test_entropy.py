"""The kernel's cross-entropy on every variant: in a process of its own each, as a variant is chosen once."""

import os
import subprocess
import sys

import pytest

from gatelab.engine import library

CODE = """
import torch
from torch.nn import functional
from gatelab.engine.entropy import cross_entropy
from gatelab.engine.library import variant

torch.manual_seed(0)
for dtype in (torch.float32, torch.float64):
    for classes in [*range(1, 40), 87, 128, 255, 1000]:
        for scale in (1.0, 40.0):
            logits = scale * torch.randn(11, classes, dtype=dtype)
            logits[::3, classes // 2] = -torch.inf
            logits[1] += 1e4
            target = torch.randint(classes, (11,))
            if classes == 1:
                logits.zero_()
            wide = logits.double().requires_grad_()
            wanted = functional.cross_entropy(wide, target, reduction="none")
            (slope,) = torch.autograd.grad(wanted.sum(), wide)
            losses, gradient = cross_entropy(logits, target)
            near = 2e-6 if dtype == torch.float32 else 1e-13
            torch.testing.assert_close(losses.double(), wanted.detach(), rtol=near, atol=near)
            torch.testing.assert_close(gradient.double(), slope, rtol=near, atol=near)
print(variant())
"""


@pytest.mark.parametrize("variant", library.VARIANTS)
def test_every_variant_is_near_torch_in_float64(variant):
    environment = os.environ | {"GATELAB_VARIANT": variant}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=False
    )
    if "cannot run" in done.stderr:
        pytest.skip(f"this processor does not run {variant}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [variant]
