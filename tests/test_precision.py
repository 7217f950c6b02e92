"""Which precision a run gets where none was asked for."""

import sys
from types import ModuleType

import pytest

from nst_core import precision
from nst_core.config import TransferConfig
from nst_core.memory import run_need
from nst_core.precision import find_precision
from nst_core.speeds import Speeds


@pytest.mark.parametrize(
    ("widths", "able", "gpu", "wanted"),
    [
        ({"vgg16": 1.0}, True, False, "bfloat16"),
        ({"vgg16": 0.25, "vgg19": 1.0}, True, False, "bfloat16"),
        ({"resnet50": 1.0}, True, False, "bfloat16"),
        ({"resnet50": 0.25}, True, False, "float32"),
        ({"vgg19": 0.25, "resnet50": 0.25}, True, False, "float32"),
        ({"vgg19": 1.0}, False, False, "float32"),
        ({"vgg19": 1.0}, True, True, "float32"),
    ],
)
def test_bfloat16_is_for_networks_that_bear_it_on_processors_that_compute_in_it(
    widths: dict[str, float], able: bool, gpu: bool, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "computes_bfloat16", lambda: able)
    assert find_precision("auto", widths, gpu=gpu) == wanted
    assert find_precision("float32", widths) == "float32"
    assert find_precision("bfloat16", widths) == "bfloat16"


def test_what_is_foretold_does_not_touch_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the app imports it in another thread it is there, but half made."""
    monkeypatch.setattr(precision, "computes_bfloat16", lambda: True)
    monkeypatch.setitem(sys.modules, "tensorflow", ModuleType("tensorflow"))
    assert run_need(TransferConfig()).total > 0
    assert Speeds().seconds(TransferConfig(), (((128, 96), 60),)) > 0
