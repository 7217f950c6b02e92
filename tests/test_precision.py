"""Which precision a run gets where none was asked for."""

import pytest

from nst_core import precision
from nst_core.precision import find_precision


@pytest.mark.parametrize(
    ("backbones", "able", "gpu", "wanted"),
    [
        (["vgg16"], True, False, "bfloat16"),
        (["vgg16", "vgg19"], True, False, "bfloat16"),
        (["vgg19", "resnet50"], True, False, "float32"),
        (["vgg19"], False, False, "float32"),
        (["vgg19"], True, True, "float32"),
    ],
)
def test_bfloat16_is_for_vggs_on_processors_that_compute_in_it(
    backbones: list[str], able: bool, gpu: bool, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "computes_bfloat16", lambda: able)
    monkeypatch.setattr(precision, "uses_gpu", lambda: gpu)
    assert find_precision("auto", backbones) == wanted
    assert find_precision("float32", backbones) == "float32"
    assert find_precision("bfloat16", backbones) == "bfloat16"
