"""What the pages hold in the process: models that leave no Keras behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages.conftest import ROOT, open_page, press_run, small


def run_script(script: str, folder: Path) -> list[str]:
    """Run a script in a process of its own, where nothing has been imported yet; the words it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT)},
    )
    return done.stdout.split()


def test_tensorflow_comes_without_keras_and_reading_weights_leaves_none(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from pages.shared.state import AppModels  # says so to TensorFlow, which reads it once
import tensorflow
print("keras" in sys.modules)
import keras
path = Path(sys.argv[1]) / "seeded.weights.h5"
keras.utils.set_random_seed(3)
keras.applications.VGG16(weights=None, include_top=False).save_weights(path)
del keras
from nst_core.config import TransferConfig
network, source = AppModels().network(TransferConfig(backbone="vgg16", weights=str(path)))
print(source.source, "keras" in sys.modules)
network, source = AppModels().network(TransferConfig(backbone="vgg16", weights=str(path)))
print(source.source, "keras" in sys.modules)
"""
    assert run_script(script, tmp_path) == ["False", "file", "False", "file", "False"]


def test_a_failed_load_leaves_no_keras_either(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from pages.shared.state import AppModels
from nst_core.config import TransferConfig
from nst_core.errors import WeightsError
path = Path(sys.argv[1]) / "damaged.weights.h5"
path.write_bytes(b"not HDF5")
try:
    AppModels().network(TransferConfig(backbone="vgg16", weights=str(path)))
except WeightsError:
    print("refused", "keras" in sys.modules, any(name.startswith("keras.") for name in sys.modules))
"""
    # Keras itself was there: only the name under which Streamlit looks for it is gone.
    assert run_script(script, tmp_path) == ["refused", "False", "True"]


@pytest.mark.usefixtures("loads")
def test_a_run_is_watched_from_every_page() -> None:
    app = small(open_page("pages/transfer.py"), steps=2000)
    job = press_run(app)
    for path in ("pages/curves.py", "pages/method.py"):
        before = job._seen
        app.switch_page(path).run()
        assert not app.exception
        assert job._seen > before
    job.stop()
    assert job.ended.wait(120)
