"""Fixtures that most tests share: small seeded pictures and networks, no weights and no network."""

import os

# Before anything imports TensorFlow.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from nst_core import precision
from nst_core.backbones import RESNET50, VGG16
from nst_core.images import Picture
from nst_core.networks import Network, random_network

# A busy machine is slow, which is no fault.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def make_picture(height: int, width: int, seed: int = 0, name: str = "made") -> Picture:
    """A smooth seeded picture with some structure at every size."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
    waves = [
        np.sin(2 * np.pi * (fy * rows + fx * columns) + phase)
        for fy, fx, phase in generator.uniform(1, 6, (3, 3))
    ]
    pixels = 0.5 + 0.4 * np.stack(waves, axis=-1) + generator.normal(0, 0.03, (height, width, 3))
    return Picture(
        pixels=np.clip(pixels, 0, 1).astype(np.float32),
        name=name,
        sha256=f"{seed:064x}",
        original_size=(width, height),
    )


@pytest.fixture(scope="session", autouse=True)
def cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests measure is not what the app should tell people; servers that tests start inherit it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NST_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def float32_where_not_said_otherwise() -> Iterator[None]:
    """Numbers derived by hand are float32's, on processors that compute in bfloat16 too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(precision, "computes_bfloat16", lambda: False)
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def content() -> Picture:
    return make_picture(48, 64, seed=1, name="content")


@pytest.fixture
def style() -> Picture:
    return make_picture(64, 64, seed=2, name="style")


def with_biases(network: Network, seed: int = 0) -> Network:
    """The same network with biases that are not zero, so that a forgotten one is seen."""
    generator = np.random.default_rng(seed)
    arrays = {
        name: (kernel, generator.normal(0, 5, bias.shape).astype(np.float32))
        for name, (kernel, bias) in network.arrays.items()
    }
    return Network(network.architecture, arrays)


@pytest.fixture
def small_rungs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ladders that start at 64 pixels: two or three rungs in the time of one."""
    monkeypatch.setattr("nst_core.plan.LADDER_BOTTOM", 64)


@pytest.fixture(scope="session")
def network() -> Network:
    """VGG16 at a sixteenth of its width: 4, 8, 16, 32 and 32 channels."""
    return with_biases(random_network(VGG16.architecture(1 / 16), seed=0))


@pytest.fixture(scope="session")
def residual_network() -> Network:
    """ResNet50 at a sixteenth of its width."""
    return with_biases(random_network(RESNET50.architecture(1 / 16), seed=0))


@pytest.fixture(scope="session")
def published() -> Callable[[str], Any]:
    """`keras.applications`' own no-top network of a backbone, its weights seeded; not to be changed."""

    @cache
    def make(name: str) -> Any:
        import keras

        makers = {
            "vgg16": keras.applications.VGG16,
            "vgg19": keras.applications.VGG19,
            "resnet50": keras.applications.ResNet50,
        }
        model = makers[name](weights=None, include_top=False)
        generator = np.random.default_rng(1)
        for layer in model.layers:
            layer.set_weights([_seeded(weight, generator) for weight in layer.weights])
        return model

    return make


def _seeded(weight: Any, generator: np.random.Generator) -> Any:
    """Kernels that keep the signal's size, and batch statistics far from 0 and 1."""
    if weight.name == "kernel":
        fan_in = float(np.prod(weight.shape[:3]))
        return generator.standard_normal(weight.shape, np.float32) * np.float32((2 / fan_in) ** 0.5)
    low, high = {"moving_variance": (0.5, 2.0), "gamma": (0.5, 1.0)}.get(weight.name, (-0.5, 0.5))
    return generator.uniform(low, high, weight.shape)
