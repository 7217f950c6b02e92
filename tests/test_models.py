"""The shelf of networks and compiled steps: each made once, the least used let go."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from nst_core import models as module
from nst_core.backbones import BACKBONES, find_backbone
from nst_core.config import TransferConfig
from nst_core.errors import WeightsError
from nst_core.images import Picture
from nst_core.material import resolve
from nst_core.models import MOST_NETWORKS, Loaded, Models, Recent
from nst_core.weights import load_network

LONG = 120  # seconds; only a deadlock takes as long


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """Networks of a sixteenth of the channels; the list tells which were loaded."""
    loaded = []

    def load(backbone, weights, *, seed, progress):  # type: ignore[no-untyped-def]
        loaded.append((backbone.name, weights, seed))
        return load_network(backbone, "random", seed=seed, width=1 / 16, progress=progress)

    monkeypatch.setattr(module, "load_network", load)
    return loaded


def tiny_config(backbone: str = "vgg16", **settings: object) -> TransferConfig:
    return TransferConfig.from_dict({"backbone": backbone, "weights": "random", **settings})


def test_many_threads_asking_at_once_make_a_value_once() -> None:
    shelf: Recent[object] = Recent(4)
    together = threading.Barrier(16)
    made = []

    def make() -> object:
        made.append(threading.get_ident())
        together_again.wait(LONG)  # the other 15 are asking by now
        return object()

    def ask() -> object:
        together.wait(LONG)
        asking.release()
        return shelf.get("key", make)

    asking = threading.Semaphore(0)
    together_again = threading.Event()
    with ThreadPoolExecutor(16) as threads:
        answers = [threads.submit(ask) for _ in range(16)]
        for _ in range(16):
            assert asking.acquire(timeout=LONG)
        together_again.set()
        values = {id(answer.result(LONG)) for answer in answers}
    assert len(made) == 1
    assert len(values) == 1
    assert len(shelf) == 1


def test_keys_are_made_beside_each_other() -> None:
    shelf: Recent[str] = Recent(2)
    both = threading.Barrier(2)

    def make(value: str) -> str:
        both.wait(LONG)  # passes only when two are being made at the same time
        return value

    with ThreadPoolExecutor(2) as threads:
        first, second = (threads.submit(shelf.get, key, partial(make, key)) for key in "ab")
        assert (first.result(LONG), second.result(LONG)) == ("a", "b")


def test_the_least_recently_used_goes() -> None:
    shelf: Recent[str] = Recent(2)
    made: list[str] = []

    def get(key: str) -> str:
        def make() -> str:
            made.append(key)
            return key.upper()

        return shelf.get(key, make)

    assert [get(key) for key in "aba"] == ["A", "B", "A"]
    get("c")  # b was used longest ago
    assert len(shelf) == 2
    get("a")
    get("c")
    assert made == ["a", "b", "c"]
    assert get("b") == "B"
    assert made == ["a", "b", "c", "b"]


def test_a_value_that_could_not_be_made_may_be_asked_for_again() -> None:
    shelf: Recent[int] = Recent(2)

    def fail() -> int:
        raise WeightsError("Absent.")

    for _ in range(2):
        with pytest.raises(WeightsError, match="Absent"):
            shelf.get("key", fail)
    assert len(shelf) == 0
    with ThreadPoolExecutor(1) as threads:  # in another thread a lock still held would block
        assert threads.submit(shelf.get, "key", lambda: 7).result(LONG) == 7


def test_waiting_threads_make_it_themselves_after_a_failure() -> None:
    shelf: Recent[int] = Recent(2)
    waiting, fail_now = threading.Event(), threading.Event()

    def fail() -> int:
        waiting.set()
        fail_now.wait(LONG)
        raise WeightsError("Absent.")

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(shelf.get, "key", fail)
        assert waiting.wait(LONG)
        second = threads.submit(shelf.get, "key", lambda: 7)
        fail_now.set()
        assert second.result(LONG) == 7
        with pytest.raises(WeightsError):
            first.result(LONG)


@pytest.mark.parametrize("backbone", sorted(BACKBONES))
def test_each_backbone_is_loaded_once(backbone: str, tiny: list[tuple[str, str, int]]) -> None:
    models = Models()
    config = tiny_config(backbone)
    network, source = models.network(config)
    again, source_again = models.network(tiny_config(backbone, size=64, steps=3, balance="paper"))
    assert again is network
    assert source_again == source
    assert source.source == "random"
    assert source.note == ""
    assert models.loads == 1
    assert tiny == [(backbone, "random", 0)]
    expected, _ = load_network(find_backbone(backbone), "random", seed=0, width=1 / 16)
    assert set(network.arrays) == set(expected.arrays)
    for name, pair in network.arrays.items():
        for ours, theirs in zip(pair, expected.arrays[name], strict=True):
            np.testing.assert_array_equal(np.asarray(ours), theirs)


def test_sixteen_threads_load_a_network_once(tiny: list[tuple[str, str, int]]) -> None:
    models = Models()
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: models.network(tiny_config()), range(16)))
    assert len({id(network) for network, _ in answers}) == 1
    assert models.loads == len(tiny) == 1


def test_the_seed_tells_random_networks_apart_and_no_others(
    tiny: list[tuple[str, str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    models = Models()
    first, _ = models.network(tiny_config(seed=1))
    second, _ = models.network(tiny_config(seed=2))
    assert first is not second
    sketch, _ = models.network(tiny_config(weights="sketch", seed=1))
    again, _ = models.network(tiny_config(weights="sketch", seed=2))
    assert sketch is again
    # Also where `auto` comes down to random weights, the seed decides them.
    monkeypatch.setattr(module, "choose_source", lambda backbone: ("random", "nothing else is here"))
    third, told = models.network(tiny_config(weights="auto", seed=3))
    fourth, _ = models.network(tiny_config(weights="auto", seed=4))
    assert third is not fourth
    assert told.note == "nothing else is here"
    assert models.network(tiny_config(weights="auto", seed=2))[0] is second
    assert models.loads == len(tiny) == 5


@pytest.mark.usefixtures("tiny")
def test_auto_shares_the_network_but_not_the_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "choose_source", lambda backbone: ("sketch", "no ImageNet here"))
    models = Models()
    chosen, told = models.network(tiny_config(weights="auto"))
    named, plain = models.network(tiny_config(weights="sketch"))
    assert chosen is named
    assert (told.note, plain.note) == ("no ImageNet here", "")
    assert models.loads == 1


@pytest.mark.usefixtures("tiny")
def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "own.weights.h5"
    path.write_bytes(b"first")
    models = Models()
    first, _ = models.network(tiny_config(weights=str(path)))
    assert models.network(tiny_config(weights=str(path)))[0] is first
    os.utime(path, ns=(1, 1))
    assert models.network(tiny_config(weights=str(path)))[0] is not first
    assert models.loads == 2


@pytest.mark.usefixtures("tiny")
def test_only_so_many_networks_stay() -> None:
    models = Models()
    for seed in range(MOST_NETWORKS + 1):
        models.network(tiny_config(seed=seed))
    models.network(tiny_config(seed=MOST_NETWORKS))
    assert models.loads == MOST_NETWORKS + 1
    models.network(tiny_config(seed=0))  # had gone
    assert models.loads == MOST_NETWORKS + 2


def test_a_load_that_fails_may_be_tried_again(
    tiny: list[tuple[str, str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    models = Models()

    def fail(*_: object, **__: object) -> None:
        raise WeightsError("The line is dead.")

    with monkeypatch.context() as patch:
        patch.setattr(module, "load_network", fail)
        with pytest.raises(WeightsError, match="dead"):
            models.network(tiny_config())
    assert models.network(tiny_config())[1].source == "random"
    assert len(tiny) == 1


def test_progress_reaches_the_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []

    def load(backbone, _, *, seed, progress):  # type: ignore[no-untyped-def]
        progress(1, 2)
        return load_network(backbone, "random", seed=seed, width=1 / 16)

    monkeypatch.setattr(module, "load_network", load)
    Models().network(tiny_config(), progress=lambda done, size: seen.append((done, size)))
    assert seen == [(1, 2)]


@pytest.fixture
def counted_engines(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Counts the compiled objectives made, which no test here calls."""
    from nst_core import material

    made: list[object] = []
    make: Callable[..., object] = material.make_engine

    def count(config: TransferConfig, loaded: Loaded) -> object:
        made.append(config)
        return make(config, loaded)

    monkeypatch.setattr(material, "make_engine", count)
    return made


@pytest.mark.usefixtures("tiny")
def test_an_engine_serves_every_size_weight_canvas_and_optimiser(counted_engines: list[object]) -> None:
    models = Models()
    loaded = models.networks(tiny_config())
    engine = models.engine(resolve(tiny_config()), loaded)
    for settings in (
        {"size": 64, "steps": 3},
        {"balance": "paper", "learning_rate": 0.5},
        {"content_weight": 3.0, "style_weight": 0.0, "variation_weight": 1.0},
        {"strength": 90.0},
        {"init": "noise", "ladder": False},
        {"canvas": "pixel", "optimiser": "lbfgs"},
        {"finish": "lbfgs", "jitter": 4, "averaging": 0.9, "style_scale": 0.5},
        {"style_layers": tuple((name, 2.0) for name in BACKBONES["vgg16"].style_layers)},
        {"style_layers": tuple((f"vgg16:{name}", 2.0) for name in BACKBONES["vgg16"].style_layers)},
    ):
        config = tiny_config(**settings)
        assert models.engine(resolve(config), models.networks(config)) is engine
    assert len(counted_engines) == 1
    assert models.loads == 1


@pytest.mark.usefixtures("tiny")
def test_an_engine_is_not_shared_where_it_would_compute_otherwise(counted_engines: list[object]) -> None:
    models = Models()
    loaded = models.networks(tiny_config())
    other = models.networks(tiny_config(seed=1))
    engines = {
        id(models.engine(resolve(tiny_config()), loaded)),
        id(models.engine(resolve(tiny_config()), other)),
    }
    for settings in (
        {"padding": "zero"},
        {"pooling": "max"},
        {"statistic": "moments"},
        {"statistic": "wasserstein"},
        {"smoothing": "softmax"},
        {"smoothing": "softmax", "temperature": 3.0},
        {"variation": "absolute"},
        {"precision": "float32"},
        {"style_layers": (("block1_conv1", 1.0),)},
        {"content_layers": (("block1_conv1", 1.0),)},
        {"content_layers": (("resnet50:conv1_relu", 1.0),)},
    ):
        config = tiny_config(**settings)
        engines.add(id(models.engine(resolve(config), models.networks(config))))
    assert len(engines) == len(counted_engines) == 13


def test_all_networks_whose_layers_are_named_are_loaded_once(tiny: list[tuple[str, str, int]]) -> None:
    models = Models()
    config = tiny_config(
        style_layers=(("block1_conv1", 1.0), ("vgg19:block1_conv1", 1.0), ("vgg19:colours", 1.0)),
        content_layers=(("resnet50:conv1_relu", 1.0),),
    )
    for _ in range(2):
        loaded = models.networks(config)
        assert list(loaded) == ["vgg16", "vgg19", "resnet50"]
        assert {name: network.architecture.name for name, (network, _) in loaded.items()} == {
            name: name for name in loaded
        }
    assert [name for name, _, _ in tiny] == list(loaded)
    assert models.network(tiny_config("vgg19"))[0] is loaded["vgg19"][0]
    assert models.loads == 3


@pytest.mark.usefixtures("tiny")
def test_material_is_made_of_what_is_on_the_shelf(content: Picture, style: Picture) -> None:
    models = Models()
    config = tiny_config(size=64, content_layers=(("resnet50:conv1_relu", 1.0),))
    material = models.material(config, content, style)
    loaded = models.networks(config)
    assert material.engine is models.engine(material.config, loaded)
    assert material.source == loaded["vgg16"][1]
    assert material.other_sources == {"resnet50": loaded["resnet50"][1]}
    assert models.loads == 2


@pytest.mark.usefixtures("tiny")
def test_an_engine_belongs_to_its_network_whatever_auto_has_come_to_mean(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = Models()
    config = tiny_config(weights="auto")
    monkeypatch.setattr(module, "choose_source", lambda backbone: ("sketch", "not downloaded yet"))
    before = models.networks(config)
    monkeypatch.setattr(module, "choose_source", lambda backbone: ("imagenet", "downloaded meanwhile"))
    stale = models.engine(resolve(config), before)
    after = models.networks(config)
    assert after["vgg16"][0] is not before["vgg16"][0]
    assert models.engine(resolve(config), after) is not stale
