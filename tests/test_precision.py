"""Which precision a run gets where none was asked for."""

import pytest

from nst_core import precision
from nst_core.precision import find_precision


@pytest.mark.parametrize(
    ("width", "able", "gpu", "wanted"),
    [
        (1.0, True, False, "bfloat16"),
        (0.25, True, False, "float32"),
        (1.0, False, False, "float32"),
        (1.0, True, True, "float32"),
    ],
)
def test_bfloat16_is_for_full_networks_on_processors_that_have_it(
    width: float, able: bool, gpu: bool, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "computes_bfloat16", lambda: able)
    monkeypatch.setattr(precision, "uses_gpu", lambda: gpu)
    assert find_precision("auto", width) == wanted
    assert find_precision("float32", width) == "float32"
    assert find_precision("bfloat16", width) == "bfloat16"
