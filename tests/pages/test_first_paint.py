"""What a page imports before it is first seen: nothing that only computing and tables need."""

import subprocess
import sys

import pytest

from pages.shared.frame import PAGES
from tests.pages.conftest import ROOT

HEAVY = ("tensorflow", "keras", "pandas", "pyarrow", "scipy", "skimage", "h5py")

SCRIPT = """
import sys
from streamlit.testing.v1 import AppTest
path, *heavy = sys.argv[1:]
app = AppTest.from_file(path, default_timeout=60).run()
assert not app.exception, app.exception
print(sorted(set(heavy) & set(sys.modules)))
"""


@pytest.mark.parametrize("path", ["app.py", *(row.path for row in PAGES)])
def test_the_first_paint_waits_for_nothing_heavy(path: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(ROOT / path), *HEAVY],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout.splitlines()[-1] == "[]"
