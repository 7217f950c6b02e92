"""A picture from a sample's name, a path, or itself."""

import numpy as np
import pytest

from nst_core.errors import ImageError
from nst_core.images import encode_png
from nst_core.pictures import open_picture
from nst_core.samples import SAMPLES, load_sample


def test_a_picture_stays_what_it_is(content):
    assert open_picture(content) is content


def test_a_path_is_read(content, tmp_path):
    path = tmp_path / "mine.png"
    path.write_bytes(encode_png(content.pixels))
    for source in (path, str(path)):
        read = open_picture(source)
        np.testing.assert_allclose(read.pixels, content.pixels, atol=0.5 / 255 + 1e-6)
        assert read.size == content.size


def test_a_samples_name_is_the_sample_even_beside_a_file_of_that_name(content, tmp_path, monkeypatch):
    name = next(iter(SAMPLES))
    (tmp_path / name).write_bytes(encode_png(content.pixels))
    monkeypatch.chdir(tmp_path)
    assert open_picture(name).sha256 == load_sample(name).sha256
    assert open_picture(f"./{name}").size == content.size


def test_neither_a_sample_nor_a_file_is_refused(tmp_path):
    with pytest.raises(ImageError, match=r"\.$"):
        open_picture(tmp_path / "nothing.png")


@pytest.mark.parametrize("source", [None, 3, b"bytes", np.zeros((4, 4, 3))])
def test_what_is_neither_a_name_nor_a_picture_is_refused(source):
    with pytest.raises(ImageError, match="A picture is a sample's name, a path or a Picture"):
        open_picture(source)


@pytest.mark.parametrize("name", ["skylin", "SKYLINE", "swirling-nights"])
def test_a_name_that_may_have_been_meant_for_a_sample_is_told_the_samples(name):
    with pytest.raises(ImageError, match=r"neither a file nor a sample; the samples are skyline, .+mandala"):
        open_picture(name)
