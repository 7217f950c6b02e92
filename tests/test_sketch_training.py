"""How the sketch weights are made, at a size that takes seconds, and the files that are in the repository."""

import hashlib
import json
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assets.sketch import calibration, textures, train
from assets.sketch.atlas import FAMILIES, Atlas, cells_of, texture
from assets.sketch.checkpoints import CheckpointError, restore, save
from assets.sketch.crops import SPOILED, SPOILINGS, Cutter, Sampler, soften
from assets.sketch.export import export, pack
from assets.sketch.initialisation import grains, waves
from assets.sketch.objective import Gram, Plan, head_layers, smoothed_loss, with_heads
from assets.sketch.train import Point, Training, read_curve
from nst_core.architectures import Architecture, resnet50, vgg
from nst_core.backbones import BACKBONES, BGR_MEANS
from nst_core.networks import fold, random_network

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "sketch"
PLAN = Plan(steps=6, seed=3, batch=4, crop=32, large_crop=32, large_batch=4, settling=6, evaluation=1)
SETTINGS = {"steps": 6, "batch": 4}
WIDTH = 1 / 16
# One convolution a block compiles in a third of the time.
SHALLOW = replace(BACKBONES["vgg16"], build=lambda width: vgg((1, 1, 1, 1, 1), width))


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    pictures = np.stack([texture(row, 0, 5) for row in (8, 9, 14)])
    return Atlas(pictures, np.concatenate([cells_of(picture, 2) for picture in range(3)]))


@pytest.fixture(scope="module")
def trained(atlas: Atlas, tmp_path_factory: pytest.TempPathFactory) -> Training:
    training = Training(SHALLOW, PLAN, atlas, folder=tmp_path_factory.mktemp("whole"), width=WIDTH)
    list(training.run(every=2, keep=4))
    return training


@pytest.mark.parametrize("row", range(len(FAMILIES)), ids=lambda row: f"{row}-{FAMILIES[row][0].__name__}")
def test_textures_are_deterministic_and_not_flat(row: int) -> None:
    picture = texture(row, 1, 0)
    assert picture.shape == (textures.SIZE, textures.SIZE, 3)
    assert picture.std() > 3
    np.testing.assert_array_equal(picture, texture(row, 1, 0))
    assert not np.array_equal(picture, texture(row, 2, 0))


def test_cells_tile_the_picture() -> None:
    cells = cells_of(7, 2)
    np.testing.assert_array_equal(
        cells, [[7, 64, 64, 64], [7, 64, 192, 64], [7, 192, 64, 64], [7, 192, 192, 64]]
    )


def test_a_crop_reads_the_right_place(atlas: Atlas) -> None:
    # A picture whose red is its row and green its column, read at known places.
    rows, columns = np.mgrid[0:256, 0:256]
    ramp = np.stack([rows, columns, np.zeros_like(rows)], axis=-1).astype(np.uint8)
    cutter = Cutter(Atlas(np.stack([atlas.pictures[0], ramp]), cells_of(1, 1)))
    places = np.array([[[[10.25, 20.5], [-3.0, 100.0]], [[254.0, 0.0], [258.0, 5.0]]]], np.float32)
    read = np.asarray(cutter.read(np.array([1], np.int32), places))
    expected: list[list[list[float]]] = [[[10.25, 20.5, 0], [3, 100, 0]], [[254, 0, 0], [252, 5, 0]]]
    np.testing.assert_allclose(read[0], expected, atol=0.02)


def test_batches_depend_on_the_seed_and_step_alone(atlas: Atlas) -> None:
    first, classes, looks = Sampler(atlas, 1).batch(9, side=32, count=5)
    again, _, _ = Sampler(atlas, 1).batch(9, side=32, count=5)
    other, _, _ = Sampler(atlas, 1).batch(10, side=32, count=5)
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name])
    assert not np.array_equal(first["rows"], other["rows"])
    np.testing.assert_array_equal(looks // SPOILINGS, atlas.cells[classes, 0])
    np.testing.assert_array_equal(looks % SPOILINGS, first["spoiling"])


@pytest.mark.parametrize(("spoiled", "shares"), [(0.4, (0.6, 0.2, 0.2)), (0.0, (1.0, 0.0, 0.0))])
def test_the_asked_share_of_crops_is_spoiled(atlas: Atlas, spoiled: float, shares: tuple[float, ...]) -> None:
    numbers, _, _ = Sampler(atlas, 1, spoiled=spoiled).batch(9, side=1, count=10_000)
    counts = np.bincount(numbers["spoiling"], minlength=SPOILINGS)
    np.testing.assert_allclose(counts / 10_000, shares, atol=0.02)


def test_softening_spreads_a_point_evenly_twice() -> None:
    point = np.zeros((1, 7, 7, 3), np.float32)
    point[0, 3, 3] = 81
    line = np.array([0, 1, 2, 3, 2, 1, 0])
    np.testing.assert_allclose(np.asarray(soften(point))[0, ..., 1], np.outer(line, line), atol=1e-4)


def test_spoiling_changes_the_crops_that_it_names_and_no_others(atlas: Atlas) -> None:
    numbers, _, _ = Sampler(atlas, 1, spoiled=0).batch(9, side=32, count=3)
    numbers["tone"][:, 2] = 0  # no grain
    cutter = Cutter(atlas)
    clean = np.asarray(cutter(numbers))
    spoiled = np.asarray(cutter(numbers | {"spoiling": np.array([0, 1, 2], np.int32)}))
    np.testing.assert_array_equal(spoiled[0], clean[0])
    steps = [np.abs(np.diff(crops[1:], axis=2)).mean(axis=(1, 2, 3)) for crops in (clean, spoiled)]
    assert steps[1][0] < 0.95 * steps[0][0]  # softened: neighbours are nearer to each other
    assert np.abs(spoiled[2] - clean[2]).mean() > 5
    # Frosting moves pixels about and leaves their colours.
    assert np.abs(spoiled[2].mean(axis=(0, 1)) - clean[2].mean(axis=(0, 1))).max() < 12


def test_crops_are_preprocessed_and_recoloured_within_the_range(atlas: Atlas) -> None:
    numbers, _, _ = Sampler(atlas, 1).batch(9, side=32, count=5)
    crops = np.asarray(Cutter(atlas)(numbers))
    assert crops.shape == (5, 32, 32, 3)
    means = np.array(BGR_MEANS)
    assert (crops >= -means - 1e-3).all()
    assert (crops <= 255 - means + 1e-3).all()


def test_a_crop_that_is_not_turned_or_recoloured_is_the_picture(atlas: Atlas) -> None:
    line = np.arange(-15.5, 16, dtype=np.float32)[None]
    still = {"turn": [[0, 1]], "centre": [[115.5, 79.5]], "balance": [[1, 1, 1]], "tone": [[1, 0, 0]]}
    numbers = {name: np.array(value, np.float32) for name, value in still.items()}
    numbers |= {"rows": line, "columns": line}
    numbers |= {name: np.array([1], np.int32) for name in ("noise", "picture")}
    numbers["spoiling"] = np.array([0], np.int32)
    crop = np.asarray(Cutter(atlas)(numbers))[0]
    expected = atlas.pictures[1, 100:132, 64:96, ::-1] - np.array(BGR_MEANS)
    np.testing.assert_allclose(crop, expected, atol=1e-2)


def test_rate_rises_stays_and_falls_to_nothing() -> None:
    plan = Plan(steps=100, learning_rate=1.0, warm_up=0.1, tail=0.5)
    rates = [float(plan.rate(step)) for step in (0, 30, 74, 99)]
    assert rates == pytest.approx([0.1, 1, 0.5, 0], abs=1e-6)


def test_smoothed_loss_by_hand() -> None:
    # Logits (ln 3, 0) are probabilities 3/4 and 1/4; smoothing spreads a tenth evenly over both.
    logits = np.log([[3.0, 1.0]]).astype(np.float32)
    expected = -(0.9 * np.log(3 / 4) + 0.1 * (np.log(3 / 4) + np.log(1 / 4)) / 2)
    assert float(smoothed_loss(np.array([0]), logits)[0]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("vgg16", ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3")),
        ("vgg19", ("block1_conv2", "block2_conv2", "block3_conv4", "block4_conv4", "block5_conv4")),
        ("resnet50", BACKBONES["resnet50"].style_layers),
    ],
)
def test_heads_read_the_ends_of_the_stages(name: str, layers: tuple[str, ...]) -> None:
    assert head_layers(BACKBONES[name], BACKBONES[name].architecture(WIDTH)) == layers


def test_gram_head_by_hand() -> None:
    # Two positions of two channels, (1, 2) and (3, 0): products (10, 2, 4) over 2 positions.
    activations = np.array([[[[1, 2], [3, 0]]]], np.float32)
    np.testing.assert_allclose(np.asarray(Gram()(activations)), np.sqrt([[5, 1, 2]]), rtol=1e-3)


def spectra(kernels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Power [4096, N] of kernels [k, k, 3, N] in all colours, and the frequencies [4096], cycles a pixel."""
    power = np.sum(np.abs(np.fft.fft2(kernels, (64, 64), axes=(0, 1))) ** 2, axis=2)
    frequencies = np.hypot(*np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64)))
    return power.reshape(64 * 64, -1), frequencies.reshape(-1)


@pytest.mark.parametrize("made", [waves, grains])
def test_first_kernels_are_of_one_strength_and_see_next_to_nothing_of_single_pixels(made) -> None:
    kernels = made((7, 7, 3, 16))
    np.testing.assert_allclose(np.mean(kernels**2, axis=(0, 1, 2)), 2 / (7 * 7 * 3), rtol=1e-5)
    power, frequencies = spectra(kernels)
    assert np.all(power[frequencies > 3 / 8].sum(axis=0) < 0.08 * power.sum(axis=0))


def test_waves_are_dealt_over_all_lengths() -> None:
    power, frequencies = spectra(waves((7, 7, 3, 16)))
    strongest = frequencies[power.argmax(axis=0)]
    assert 0.15 < strongest.max() <= 1 / 4
    assert strongest.min() < 0.1


def test_grains_are_blind_to_flat_areas_and_see_fine_detail() -> None:
    kernels = grains((7, 7, 3, 16))
    np.testing.assert_allclose(kernels.sum(axis=(0, 1)), 0, atol=1e-6)
    power, frequencies = spectra(kernels)
    fine = (frequencies > 1 / 8) & (frequencies < 3 / 8)
    assert np.mean(power[fine].sum(axis=0) / power.sum(axis=0)) > 0.5


def test_resnet50_sees_waves_and_grains_for_good_and_starts_without_residual_branches() -> None:
    body, _ = with_heads(BACKBONES["resnet50"], resnet50(WIDTH), classes=4, pictures=2)
    first = body.get_layer("conv1_conv")
    stem = first.get_weights()[0]
    np.testing.assert_array_equal(stem[..., ::2], waves(stem[..., ::2].shape))
    np.testing.assert_array_equal(stem[..., 1::2], grains(stem[..., 1::2].shape))
    assert not first.trainable
    last = [layer.gamma for layer in body.layers if layer.name.endswith("_3_bn")]
    assert len(last) == 16
    assert not any(np.any(np.asarray(gamma)) for gamma in last)


def test_the_file_in_the_repository_holds_the_first_kernels_as_they_are_made() -> None:
    with np.load(FOLDER / "resnet50.npz") as stored:
        stem = stored["conv1_conv/kernel"].astype(np.float32)
    for found, made in ((stem[..., ::2], waves((7, 7, 3, 8))), (stem[..., 1::2], grains((7, 7, 3, 8)))):
        # Batch normalisation and calibration scale each channel, and float16 rounds.
        alike = np.sum(found * made, axis=(0, 1, 2)) / np.sqrt(
            np.sum(found**2, axis=(0, 1, 2)) * np.sum(made**2, axis=(0, 1, 2))
        )
        np.testing.assert_allclose(np.abs(alike), 1, atol=1e-3)


def test_a_stopped_training_goes_on_as_if_it_had_not_stopped(
    atlas: Atlas, trained: Training, tmp_path: Path
) -> None:
    first = Training(SHALLOW, PLAN, atlas, folder=tmp_path, width=WIDTH)
    list(first.run(until=3, every=1))
    second = Training(SHALLOW, PLAN, atlas, folder=tmp_path, width=WIDTH)
    assert second.step == 3
    assert [point.step for point in second.curve] == [1, 2, 3]
    for one, other in zip(first.variables, second.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    list(second.run(every=1))
    assert [point.step for point in read_curve(tmp_path)] == [1, 2, 3, 4, 5, 6]
    assert int(second.optimizer.iterations) == int(trained.optimizer.iterations) == 6
    for one, other in zip(trained.variables, second.variables, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-3, atol=1e-3)


def test_an_interrupted_checkpoint_leaves_the_last_one(
    trained: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, trained.variables, settings=SETTINGS, step=4, seconds=2.5)

    def full_disk(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="No space"):
        save(tmp_path, trained.variables, settings=SETTINGS, step=5, seconds=3.0)
    assert restore(tmp_path, trained.variables, settings=SETTINGS) == (4, 2.5)


def test_a_checkpoint_of_another_network_is_refused(trained: Training, tmp_path: Path) -> None:
    save(tmp_path, trained.variables, settings=SETTINGS, step=4, seconds=2.5)
    with pytest.raises(CheckpointError, match="another network or an older trainer; move it away"):
        restore(tmp_path, trained.variables[1:], settings=SETTINGS)


def test_a_checkpoint_by_other_settings_is_refused_and_kept(trained: Training, tmp_path: Path) -> None:
    save(tmp_path, trained.variables, settings=SETTINGS, step=4, seconds=2.5)
    with pytest.raises(CheckpointError, match="trained with batch 4, not 8; ask for the same again"):
        restore(tmp_path, trained.variables, settings=SETTINGS | {"batch": 8})
    assert restore(tmp_path, trained.variables, settings=SETTINGS) == (4, 2.5)


def run_command(folder: Path, monkeypatch: pytest.MonkeyPatch, atlas: Atlas, *options: str) -> int:
    """The command on three pictures and a shallow network."""
    monkeypatch.setattr(train, "cached_atlas", lambda *_, **__: atlas)
    monkeypatch.setattr(train, "BACKBONES", {"vgg16": SHALLOW})
    small = ("--batch", "2", "--crop", "32", "--large-crop", "32", "--large-batch", "2", "--width", "0.0625")
    return train.main(["--backbone", "vgg16", "--cache", str(folder), "--no-export", *small, *options])


def test_ctrl_c_keeps_what_was_trained_and_the_same_command_goes_on(
    atlas: Atlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def show(point: Point, steps: int) -> None:
        steps_shown.append(point.step)
        if point.step == 50:
            signal.raise_signal(signal.SIGINT)

    steps_shown: list[int] = []
    monkeypatch.setattr(train, "show", show)
    assert run_command(tmp_path, monkeypatch, atlas, "--steps", "60") == 130
    assert "Stopped and kept at step 50; the same command goes on" in capsys.readouterr().out
    assert [point.step for point in read_curve(tmp_path / "vgg16")] == steps_shown == [50]
    assert run_command(tmp_path, monkeypatch, atlas, "--steps", "60") == 0
    assert [point.step for point in read_curve(tmp_path / "vgg16")][-1] == steps_shown[-1] == 60
    with pytest.raises(SystemExit) as ended:
        run_command(tmp_path, monkeypatch, atlas, "--steps", "80")
    assert ended.value.code == 2
    assert "trained with steps 60, not 80" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--steps", "0", "must be 1 or more; received 0"),
        ("--crop", "31", "must be 32 or more; received 31"),
        ("--batch", "two", "invalid whole number value: 'two'"),
    ],
)
def test_numbers_that_cannot_be_are_refused_before_anything_is_painted(
    option: str, value: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        train.main(["--backbone", "vgg16", option, value])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_settling_makes_inference_agree_with_the_batch(trained: Training) -> None:
    numbers, _, _ = trained.clean.batch(0, side=32, count=32)
    trained.settle()
    batch = trained.whole(numbers, training=True)[0].numpy()
    trained.settle()
    settled = trained.whole(numbers, training=False)[0].numpy()
    assert np.corrcoef(batch.ravel(), settled.ravel())[0, 1] > 0.8


def test_the_end_is_settled_and_measured_on_unspoiled_crops(trained: Training) -> None:
    numbers, _ = trained._large(0, 1, 200)[0]
    assert not numbers["spoiling"].any()
    assert trained.sampler.batch(0, side=8, count=200)[0]["spoiling"].any()
    strengths = [
        each.batch(0, side=8, count=200)[0]["tone"][:, 2].std() for each in (trained.clean, trained.sampler)
    ]
    assert 4 * strengths[0] < strengths[1]


def test_folding_keeps_the_function(trained: Training) -> None:
    numbers, _, _ = trained.sampler.batch(1, side=40, count=2)
    crops = trained.whole.get_layer("cutter")(numbers)
    folded = calibration.folded_model(trained.architecture.folded(), fold(trained.body, trained.architecture))
    deepest = trained.architecture.names[-1]
    expected = trained.body(crops, training=False)[deepest].numpy()
    np.testing.assert_allclose(folded(crops)[deepest], expected, rtol=1e-3, atol=1e-4)


def test_identity_shortcuts_share_a_group() -> None:
    group = calibration.groups(resnet50(WIDTH).folded())
    stage = {group[f"conv3_block{block}_{part}"] for block in range(1, 5) for part in ("3_conv", "out")}
    assert stage == {group["conv3_block1_0_conv"]}
    assert group["conv3_block2_1_relu"] == "conv3_block2_1_conv"
    assert group["pool1_pool"] == "conv1_conv"
    assert group["conv1_pad"] == "input"


@pytest.mark.parametrize("architecture", [vgg((2, 2, 3, 3, 3), WIDTH), resnet50(WIDTH)], ids=lambda a: a.name)
def test_calibration_gives_unit_means_and_keeps_the_function(architecture: Architecture) -> None:
    folded = architecture.folded()
    arrays = random_network(architecture, 0).arrays
    pictures = np.random.default_rng(0).uniform(-128, 128, (3, 64, 64, 3)).astype(np.float32)
    before = calibration.mean_activations(folded, arrays, pictures)
    scaled = calibration.calibrated(folded, arrays, pictures)
    after = calibration.mean_activations(folded, scaled, pictures)
    factors = calibration.scales_of(before)
    for group, mean in after.items():
        busy = before[group] > 0
        loud = before[group] >= calibration.QUIETEST * np.median(before[group][busy])
        np.testing.assert_allclose(mean[busy & loud], 1, rtol=1e-3)
        assert (mean[~loud] <= 1.001).all()
        np.testing.assert_allclose(mean, before[group] * factors[group], rtol=1e-3, atol=1e-6)
    deepest = architecture.names[-1]
    factor = factors[calibration.groups(folded)[deepest]]
    outputs = [calibration.folded_model(folded, held)(pictures)[deepest] for held in (arrays, scaled)]
    np.testing.assert_allclose(outputs[1], outputs[0] * factor, rtol=2e-3, atol=1e-3)


def test_a_channel_that_is_never_active_keeps_its_scale() -> None:
    scales = calibration.scales_of({"layer": np.array([0.0, 2.0, 4.0, 1e-6], np.float32)})["layer"]
    np.testing.assert_allclose(scales, [1, 1 / 2, 1 / 4, 1 / (0.05 * 2)])


def test_export_writes_a_file_that_loads(trained: Training, atlas: Atlas, tmp_path: Path) -> None:
    export(trained, atlas, "vgg16", tmp_path, notes={"note": "a trial"})
    told = json.loads((tmp_path / "vgg16.json").read_text("utf-8"))
    assert told["sha256"] == hashlib.sha256((tmp_path / "vgg16.npz").read_bytes()).hexdigest()
    assert told["training"]["steps"] == 6
    assert told["training"]["spoiled"] == SPOILED
    assert told["note"] == "a trial"
    assert [point["step"] for point in told["curve"]] == [2, 4, 6]
    check_layers(tmp_path / "vgg16.npz", trained.architecture)


def test_a_file_that_would_be_too_large_is_refused(
    trained: Training, atlas: Atlas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assets.sketch.export.LARGEST", 1000)
    with pytest.raises(ValueError, match="at most 1000"):
        export(trained, atlas, "vgg16", tmp_path, notes={})
    assert list(tmp_path.iterdir()) == []


def test_packing_halves_and_names_the_arrays() -> None:
    arrays = {"layer": (np.full((1, 1, 3, 2), 0.1, np.float32), np.zeros(2, np.float32))}
    assert pack(arrays) == pack(arrays)


def check_layers(path: Path, architecture: Architecture) -> None:
    """Every convolution of the architecture is in the file: float16, of the right shape, finite."""
    channels = {"input": 3} | {layer.name: layer.channels for layer in architecture.layers}
    convolutions = [layer for layer in architecture.folded().layers if layer.kind == "convolution"]
    with np.load(path, allow_pickle=False) as file:
        assert set(file.files) == {
            f"{layer.name}/{part}" for layer in convolutions for part in ("kernel", "bias")
        }
        for layer in convolutions:
            kernel, bias = file[f"{layer.name}/kernel"], file[f"{layer.name}/bias"]
            assert kernel.dtype == bias.dtype == np.float16
            assert kernel.shape == (layer.kernel, layer.kernel, channels[layer.inputs[0]], layer.channels)
            assert bias.shape == (layer.channels,)
            assert np.isfinite(kernel).all()
            assert np.isfinite(bias).all()


@pytest.mark.parametrize("name", BACKBONES)
def test_the_file_in_the_repository_is_whole(name: str) -> None:
    told = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    data = (FOLDER / f"{name}.npz").read_bytes()
    assert hashlib.sha256(data).hexdigest() == told["sha256"]
    assert len(data) <= 4_000_000
    assert told["backbone"] == name
    assert told["padding"] in ("zero", "reflect", "replicate")
    assert told["curve"][-1]["loss"] < told["curve"][0]["loss"]
    assert told["accuracy"] > 0.3
    check_layers(FOLDER / f"{name}.npz", BACKBONES[name].architecture(told["width"]))
