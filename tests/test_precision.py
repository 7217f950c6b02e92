"""Which precision a run gets where none was asked for."""

import pytest

from nst_core import precision
from nst_core.precision import find_precision


@pytest.mark.parametrize(
    ("able", "gpu", "wanted"),
    [(True, False, "bfloat16"), (False, False, "float32"), (True, True, "float32")],
)
def test_bfloat16_is_for_processors_that_compute_in_it(
    able: bool, gpu: bool, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "computes_bfloat16", lambda: able)
    monkeypatch.setattr(precision, "uses_gpu", lambda: gpu)
    assert find_precision("auto") == wanted
    assert find_precision("float32") == "float32"
    assert find_precision("bfloat16") == "bfloat16"
