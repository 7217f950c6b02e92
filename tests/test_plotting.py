"""Plotly is not drawn with before pandas is whole."""

import subprocess
import sys

SCRIPT = """
import sys
from nst_core.plotting import graph_objects
assert not {"pandas", "plotly"} & set(sys.modules)
assert graph_objects().Figure
assert "pandas" in sys.modules
"""


def test_whoever_draws_has_pandas_first() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
