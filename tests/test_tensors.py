"""A tensor of an array: its numbers, and that they are there once."""

import subprocess
import sys

import numpy as np
import pytest

from nst_core.tensors import tensor_of

HELD = """
from pathlib import Path

import numpy as np
import tensorflow as tf

from nst_core.tensors import tensor_of


def resident():
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


tensor_of(np.zeros(8, np.float32))
array = np.ones((64, 1024, 1024 // 4), np.float32)
before = resident()
tensor = tensor_of(array)
print((resident() - before) / array.nbytes)
"""


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_the_numbers_are_those_of_the_array(kind, rng):
    array = rng.normal(0, 9, (3, 4)).astype(kind)
    tensor = tensor_of(array)
    np.testing.assert_array_equal(tensor, array)
    assert tensor.dtype == kind
    array[:] = 0
    assert np.any(tensor)  # it has numbers of its own


@pytest.mark.skipif(sys.platform != "linux", reason="what is held is read from /proc")
def test_they_are_held_once():
    done = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True)
    assert 0.9 < float(done.stdout) < 1.5
