"""Downloads in the background, with a stand-in for the network."""

from pathlib import Path
from threading import Event

from nst_core.backbones import RESNET50, VGG16
from nst_core.downloads import Download, missing
from nst_core.errors import WeightsError


def test_a_download_counts_what_has_arrived_and_ends() -> None:
    halfway, go_on = Event(), Event()

    def fetch(backbone, *, progress):
        if backbone is RESNET50:
            progress(10_000_000, 94_700_000)
            halfway.set()
            assert go_on.wait(60)
        return Path()

    download = Download([VGG16, RESNET50], fetch=fetch)
    assert halfway.wait(60)
    assert download.label == "ResNet50"
    assert download.megabytes == VGG16.imagenet_megabytes + RESNET50.imagenet_megabytes
    assert abs(download.share - (58.9 + 10.0) / (58.9 + 94.7)) < 1e-9
    go_on.set()
    download.thread.join(60)
    assert (download.state, download.share) == ("done", 1.0)


def test_a_refused_download_says_why_and_keeps_what_is_whole() -> None:
    fetched = []

    def fetch(backbone, *, progress):
        if backbone is RESNET50:
            progress(5_000_000, 94_700_000)
            raise WeightsError("The server answered 503; try again.")
        fetched.append(backbone)
        return Path()

    download = Download([VGG16, RESNET50], fetch=fetch)
    download.thread.join(60)
    assert (download.state, download.message) == ("failed", "The server answered 503; try again.")
    assert fetched == [VGG16]
    assert 0 < download.share < 1


def test_all_are_missing_from_an_empty_cache(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert [row.name for row in missing()] == ["vgg16", "vgg19", "resnet50"]
