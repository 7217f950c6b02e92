"""Weights through the very path that downloaded ones take, and every way in which they can be wrong."""

import hashlib
import http.server
import json
import os
import threading
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from nst_core import weights
from nst_core.architectures import resnet50, vgg
from nst_core.backbones import BACKBONES, RESNET50, VGG16, VGG19
from nst_core.errors import WeightsError
from nst_core.features import Extractor
from nst_core.imagenet import download_imagenet, imagenet_path, imagenet_state
from nst_core.networks import keras_model, random_network
from nst_core.weights import choose_source, load_network, weights_identity
from tests.conftest import make_picture

# Keras says so before it refuses a file that lacks layers.
pytestmark = pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")

# The same rows on thin networks: files of kilobytes, read by the same code.
THIN = replace(VGG16, build=lambda width: vgg((2, 2, 3, 3, 3), width / 16))
THIN_VGG19 = replace(VGG19, build=lambda width: vgg((2, 2, 4, 4, 4), width / 16))
THIN_RESNET = replace(RESNET50, build=lambda width: resnet50(width / 16))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Keras' folder for downloads, empty; set after everything was imported."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "keras" / "models").mkdir(parents=True)
    return tmp_path / "keras" / "models"


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def save(model, path):
    """The model's weights in the layout that the name asks for.

    A plain .h5 is written as the published no-top files are: a group a layer, `layer_names`, `weight_names`.
    """
    with warnings.catch_warnings():
        # Keras' variables do not take NumPy 2's copy argument; only its writing is affected.
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        if path.name.endswith(".weights.h5"):
            model.save_weights(path)
        elif path.name.endswith(".keras"):
            model.save(path)
        else:
            with h5py.File(path, "w") as file:
                legacy_h5_format.save_weights_to_hdf5_group(file, model)
    return path


def one_sentence(error) -> bool:
    text = str(error.value)
    return text.endswith(".") and "\n" not in text and ". " not in text


def refused(path, backbone=THIN):
    with pytest.raises(WeightsError) as error:
        load_network(backbone, str(path))
    assert one_sentence(error)
    return str(error.value)


def assert_same_maps(network, model, backbone):
    pixels = make_picture(40, 33, seed=5).pixels
    layers = (*backbone.style_layers, backbone.content_layer)
    wanted = keras.Model(model.input, {name: model.get_layer(name).output for name in layers})(
        keras.applications.vgg16.preprocess_input(pixels[np.newaxis] * 255), training=False
    )
    made = Extractor(network, layers)(pixels)
    for name in layers:
        target = wanted[name].numpy()
        np.testing.assert_allclose(made[name], target, atol=1e-4 * np.abs(target).max(), err_msg=name)


@pytest.fixture(scope="module")
def thin_model():
    model = keras_model(THIN.architecture(), every_output=False)
    generator = np.random.default_rng(2)
    model.set_weights([generator.normal(0, 0.1, array.shape) for array in model.get_weights()])
    return model


@pytest.fixture
def thin_file(thin_model, tmp_path):
    return save(thin_model, tmp_path / "thin.h5")


# Files that are right


@pytest.mark.parametrize("name", list(BACKBONES))
def test_a_file_as_downloaded_gives_the_maps_of_keras_applications(name, published, home):
    path = save(published(name), home / BACKBONES[name].imagenet_file)
    row = replace(BACKBONES[name], imagenet_md5=md5(path.read_bytes()))
    assert imagenet_path(row) == path
    assert imagenet_state(row) == "present"
    network, source = load_network(row, "auto")
    assert_same_maps(network, published(name), row)
    assert source.source == "imagenet"
    assert source.note == "the ImageNet weights are on this machine"
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert source.parameters == network.parameters
    assert source.width == 1.0


@pytest.mark.parametrize("ending", [".weights.h5", ".keras"])
@pytest.mark.parametrize("name", list(BACKBONES))
def test_a_file_of_ones_own_gives_the_maps_of_keras_applications(name, ending, published, tmp_path):
    model = published(name)
    path = save(model, tmp_path / f"mine{ending}")
    network, source = load_network(BACKBONES[name], str(path))
    assert_same_maps(network, model, BACKBONES[name])
    assert source.source == "file"
    assert source.note == ""
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_path_may_start_at_the_home_folder(thin_file, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    network, _ = load_network(THIN, "~/thin.h5")
    assert network.architecture == THIN.architecture()
    before = weights_identity(THIN, "~/thin.h5")
    os.utime(thin_file, ns=(1, 1))
    assert weights_identity(THIN, "~/thin.h5") != before


def test_keras_own_folder_is_read_when_asked_not_when_imported(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "elsewhere"))
    assert imagenet_path(VGG16) == tmp_path / "elsewhere" / "models" / VGG16.imagenet_file
    monkeypatch.delenv("KERAS_HOME")
    assert imagenet_path(VGG16) == Path.home() / ".keras" / "models" / VGG16.imagenet_file


# Files that are wrong


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("ending", [".h5", ".weights.h5", ".keras"])
def test_a_truncated_file_is_refused(thin_model, tmp_path, ending, share):
    path = save(thin_model, tmp_path / f"cut{ending}")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "damaged or was not made for VGG16" in refused(path)


@pytest.mark.parametrize("ending", [".h5", ".weights.h5", ".keras"])
def test_a_web_page_in_place_of_weights_is_refused(tmp_path, ending):
    path = tmp_path / f"page{ending}"
    path.write_text("<!doctype html><html><body>404 Not Found</body></html>" * 50)
    assert f"page{ending} is damaged" in refused(path)


def test_a_file_whose_index_is_damaged_is_refused(thin_file):
    data = thin_file.read_bytes()
    assert b"HEAP" in data  # where HDF5 keeps names; the library reports it as a RuntimeError
    thin_file.write_bytes(data.replace(b"HEAP", b"HELP"))
    assert "damaged" in refused(thin_file)


def test_a_file_with_the_top_layers_is_refused(thin_model, tmp_path):
    top = keras.layers.GlobalAveragePooling2D()(thin_model.output)
    for width, name in ((8, "fc1"), (8, "fc2"), (3, "predictions")):
        top = keras.layers.Dense(width, name=name)(top)
    whole = keras.Model(thin_model.input, top)
    assert "without its top layers" in refused(save(whole, tmp_path / "top.h5"))
    assert "VGG19" in refused(tmp_path / "top.h5", THIN_VGG19)  # as many layers, but of other shapes


@pytest.mark.parametrize("ending", [".h5", ".weights.h5", ".keras"])
@pytest.mark.parametrize("other", [THIN_VGG19, THIN_RESNET], ids=["vgg19", "resnet50"])
def test_a_file_of_another_backbone_is_refused(thin_model, tmp_path, ending, other):
    path = save(thin_model, tmp_path / f"vgg16{ending}")
    assert f"not made for {other.label}" in refused(path, other)


def test_a_larger_backbone_does_not_pass_for_a_smaller_one(tmp_path):
    larger = keras_model(THIN_VGG19.architecture(), every_output=False)
    assert "not made for VGG16" in refused(save(larger, tmp_path / "vgg19.weights.h5"))


def test_a_file_of_another_width_is_refused(tmp_path):
    wide = keras_model(vgg((2, 2, 3, 3, 3), 1 / 8), every_output=False)
    assert "not made for VGG16" in refused(save(wide, tmp_path / "wide.h5"))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused_by_layer(thin_model, tmp_path, value):
    model = keras.models.clone_model(thin_model)
    kernel, bias = thin_model.get_layer("block2_conv1").get_weights()
    kernel[0, 0, 0, 0] = value
    model.get_layer("block2_conv1").set_weights([kernel, bias])
    message = refused(save(model, tmp_path / "odd.h5"))
    assert "not finite, in block2_conv1" in message


def test_a_missing_file_and_a_strange_ending_are_refused(tmp_path):
    assert "There is no weights file" in refused(tmp_path / "none.h5")
    assert "There is no weights file" in refused(tmp_path)  # a folder
    (tmp_path / "weights.npz").write_bytes(b"PK")
    assert "its name must end in .h5 or .keras" in refused(tmp_path / "weights.npz")


def test_a_wrong_hash_means_damaged_and_is_fetched_again(thin_file, server, monkeypatch):
    right = thin_file.read_bytes()
    row = replace(THIN, imagenet_md5=md5(right))
    imagenet_path(row).write_bytes(right[:-1] + b"?")
    assert imagenet_state(row) == "damaged"
    assert choose_source(row)[1].startswith("the ImageNet weights on this machine are damaged")
    monkeypatch.setattr(weights, "download_imagenet", partial(download_imagenet, host=server("whole", right)))
    _, source = load_network(row, "imagenet")
    assert imagenet_path(row).read_bytes() == right
    assert imagenet_state(row) == "present"
    assert source.sha256 == hashlib.sha256(right).hexdigest()


def test_a_wrong_hash_without_a_connection_is_refused(thin_file, monkeypatch):
    row = replace(THIN, imagenet_md5="0" * 32)
    imagenet_path(row).write_bytes(thin_file.read_bytes())
    monkeypatch.setattr(weights, "download_imagenet", partial(download_imagenet, host=NOBODY))
    with pytest.raises(WeightsError, match="go online"):
        load_network(row, "imagenet")


# Downloads

NOBODY = "http://127.0.0.1:9"  # the discard port, closed
BODY = bytes(range(256)) * 3000  # 768,000 bytes: three chunks
ROW = replace(VGG16, imagenet_md5=md5(BODY))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        behaviour, body = self.server.behaviour, self.server.body
        self.server.asked.append(self.path)
        self.send_response(404 if behaviour == "missing" else 200)
        if behaviour in ("chunked", "chunked and cut"):
            self.send_header("Transfer-Encoding", "chunked")
        elif behaviour != "unknown length":
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if behaviour == "chunked":
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        elif behaviour == "chunked and cut":
            self.wfile.write(b"%x\r\n%s" % (len(body), body[: len(body) // 2]))
        else:
            self.wfile.write(body[: len(body) // 2] if behaviour == "cut" else body)
        self.close_connection = True

    def log_message(self, *given):
        """Nothing on the screen."""


@pytest.fixture
def server():
    """serve(behaviour, body) -> the address of a server on this machine that behaves so."""
    running = []

    def serve(behaviour, body=BODY):
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        server.behaviour, server.body, server.asked = behaviour, body, []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}"

    serve.running = running
    yield serve
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("behaviour", ["whole", "unknown length", "chunked"])
def test_a_download_arrives_in_keras_own_folder(server, home, behaviour):
    told = []
    host = server(behaviour)
    path = download_imagenet(ROW, progress=lambda done, size: told.append((done, size)), host=host)
    assert path == home / ROW.imagenet_file
    assert path.read_bytes() == BODY
    assert list(home.iterdir()) == [path]
    assert imagenet_state(ROW) == "present"
    assert server.running[0][0].asked == [f"/vgg16/{ROW.imagenet_file}"]
    amounts = [done for done, _ in told]
    assert len(amounts) >= 3
    assert amounts == sorted(set(amounts))
    assert amounts[-1] == len(BODY)
    assert {size for _, size in told} == {len(BODY) if behaviour == "whole" else 0}


def test_a_folder_that_is_not_there_yet_is_made(server, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "new" / "home"))
    assert download_imagenet(ROW, host=server("whole")).read_bytes() == BODY


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        ("missing", "the server answered 404"),
        ("cut", "arrived damaged"),
        ("chunked and cut", "could not be downloaded"),
        ("wrong", "arrived damaged"),
        ("refused", "could not be downloaded"),
    ],
)
def test_a_failed_download_is_refused_and_leaves_nothing(server, home, behaviour, says):
    host = NOBODY if behaviour == "refused" else server(behaviour)
    row = replace(ROW, imagenet_md5="0" * 32) if behaviour == "wrong" else ROW
    with pytest.raises(WeightsError, match=says) as error:
        download_imagenet(row, host=host)
    assert one_sentence(error)
    assert list(home.iterdir()) == []


def test_a_failed_download_leaves_an_older_file_as_it_was(server, home):
    imagenet_path(ROW).write_bytes(b"older")
    with pytest.raises(WeightsError):
        download_imagenet(ROW, host=server("cut"))
    assert [path.read_bytes() for path in home.iterdir()] == [b"older"]


def test_an_interrupted_download_leaves_nothing(server, home):
    def give_up(*amounts):
        raise KeyboardInterrupt(amounts)

    with pytest.raises(KeyboardInterrupt):
        download_imagenet(ROW, progress=give_up, host=server("whole"))
    assert list(home.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="set KERAS_HOME") as error:
        download_imagenet(ROW, host=NOBODY)
    assert one_sentence(error)


# Sources


def sketch(folder, row, seed=0, width=1 / 16):
    """A sketch as bundled: the arrays, and beside them the width and hash."""
    network = random_network(row.architecture(width), seed)
    arrays = {}
    for name, (kernel, bias) in network.arrays.items():
        arrays[f"{name}/kernel"], arrays[f"{name}/bias"] = kernel.astype(np.float16), bias
    path = folder / f"{row.name}.npz"
    np.savez(path, **arrays)
    told = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "width": width}
    path.with_suffix(".json").write_text(json.dumps(told))
    return network, path


def test_auto_takes_imagenet_then_the_sketch_then_random(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "SKETCHES", tmp_path)
    absent = "the ImageNet weights are not on this machine"
    assert choose_source(ROW) == ("random", f"{absent} and no sketch is bundled")
    sketch(tmp_path, ROW)
    assert choose_source(ROW) == ("sketch", absent)
    imagenet_path(ROW).write_bytes(BODY[:-1])
    assert choose_source(ROW) == ("sketch", "the ImageNet weights on this machine are damaged")
    imagenet_path(ROW).write_bytes(BODY)
    assert choose_source(ROW) == ("imagenet", "the ImageNet weights are on this machine")


@pytest.mark.parametrize("row", BACKBONES.values(), ids=lambda row: row.name)
def test_a_sketch_loads_at_its_own_width(row, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "SKETCHES", tmp_path)
    wanted, path = sketch(tmp_path, row)
    network, source = load_network(row, "auto")
    assert network.architecture == wanted.architecture
    assert (source.source, source.width) == ("sketch", 1 / 16)
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    for name, (kernel, bias) in network.arrays.items():
        assert kernel.dtype == bias.dtype == np.float32
        np.testing.assert_array_equal(kernel, wanted.arrays[name][0].astype(np.float16))


@pytest.mark.parametrize("damage", ["absent", "changed", "no json", "not json", "no width", "no layer"])
def test_a_damaged_sketch_is_refused(tmp_path, monkeypatch, damage):
    monkeypatch.setattr(weights, "SKETCHES", tmp_path)
    _, path = sketch(tmp_path, VGG16)
    told = path.with_suffix(".json")
    if damage == "absent":
        path.unlink()
    elif damage == "changed":
        path.write_bytes(path.read_bytes() + b" ")
    elif damage == "no json":
        told.unlink()
    elif damage == "not json":
        told.write_text("{")
    elif damage == "no width":
        told.write_text(json.dumps({"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}))
    else:
        np.savez(path, other=np.zeros(3))
        told.write_text(json.dumps({"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "width": 1}))
    with pytest.raises(WeightsError, match="sketch weights of VGG16 are missing or damaged") as error:
        load_network(VGG16, "sketch")
    assert one_sentence(error)


def test_random_is_the_same_for_a_seed():
    first, told = load_network(VGG16, "random", seed=3, width=1 / 16)
    again, told_again = load_network(VGG16, "random", seed=3, width=1 / 16)
    _, told_other = load_network(VGG16, "random", seed=4, width=1 / 16)
    for name in first.arrays:
        np.testing.assert_array_equal(first.arrays[name][0], again.arrays[name][0])
    assert told == told_again
    assert told.sha256 != told_other.sha256
    assert (told.source, told.width, told.note) == ("random", 1 / 16, "")


def test_identity_tells_sources_files_and_backbones_apart(tmp_path, monkeypatch, thin_file):
    monkeypatch.setattr(weights, "SKETCHES", tmp_path)
    auto = weights_identity(ROW, "auto")
    assert auto == weights_identity(ROW, "random")
    sketch(tmp_path, ROW)
    kinds = [weights_identity(ROW, kind) for kind in ("random", "sketch", "imagenet", str(thin_file))]
    assert len(set(kinds)) == 4
    assert weights_identity(ROW, "auto") == kinds[1]
    assert weights_identity(VGG19, "random") != kinds[0]
