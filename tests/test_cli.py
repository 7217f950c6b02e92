"""The command line: what it writes, says and answers with, also when it is interrupted."""

import io
import json
import math
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nst_core import cli, material
from nst_core.cli import main
from nst_core.config import TransferConfig
from nst_core.engine import Engine
from nst_core.images import encode_png, read_settings
from nst_core.material import resolve
from nst_core.networks import Network
from nst_core.presets import PRESETS
from nst_core.records import RunRecord
from nst_core.weights import load_network
from tests.conftest import make_picture

ROOT = Path(__file__).resolve().parent.parent
LONG = 300  # seconds; only a process that hangs takes as long
FEW = ("--weights", "random", "--size", "64", "--steps", "3")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two pictures, worked in."""
    (tmp_path / "content.png").write_bytes(encode_png(make_picture(48, 64, seed=1).pixels))
    (tmp_path / "style.png").write_bytes(encode_png(make_picture(64, 64, seed=2).pixels))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of a sixteenth of the channels wherever random weights are asked for."""

    monkeypatch.setattr(material, "load_network", load_tiny)
    monkeypatch.setattr(
        material,
        "make_engine",
        lambda config, loaded: compiled(loaded[config.backbone][0], config.style_layers),
    )


@cache
def load_tiny(backbone: Any, weights: str, *, seed: int) -> Any:
    return load_network(backbone, weights, seed=seed, width=1 / 16)


@cache
def compiled(network: Network, style_layers: Any) -> Engine:
    """Compiled objectives, of which each takes a second or two to make, once for this file."""
    name = network.architecture.name
    config = resolve(TransferConfig(backbone=name, style_layers=style_layers))
    return Engine({name: network}, config)


def transfer(*options: str, output: str = "out.png") -> int:
    return main(["transfer", "content.png", "style.png", "-o", output, *FEW, *options])


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"content.png", "style.png"}


@pytest.mark.usefixtures("tiny")
def test_transfer_writes_the_picture_and_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert transfer() == 0
    said = capsys.readouterr()
    assert re.fullmatch(
        r"out\.png: VGG19, random weights, 3 steps in \d+\.\d s, best at step [123]\.\n", said.out
    )
    assert said.err == ""
    assert files(folder) == {"out.png"}
    data = (folder / "out.png").read_bytes()
    assert decoded(folder / "out.png").shape == (48, 64, 3)
    config = TransferConfig.from_json(read_settings(data)["nst-config"])
    assert (config.backbone, config.weights, config.size, config.steps) == ("vgg19", "random", 64, 3)


@pytest.mark.usefixtures("tiny")
def test_the_same_command_makes_the_same_pixels(folder: Path) -> None:
    for output in ("one.png", "two.png"):
        compiled.cache_clear()
        load_tiny.cache_clear()
        assert transfer("--init", "noise", "--seed", "5", "--quiet", output=output) == 0
    one, two = (decoded(folder / output) for output in ("one.png", "two.png"))
    np.testing.assert_array_equal(one, two)


@pytest.mark.usefixtures("tiny")
def test_the_record_holds_everything(folder: Path) -> None:
    assert transfer("--record", "run.json", "--backbone", "vgg16", "--quiet") == 0
    text = (folder / "run.json").read_text("utf-8")
    assert set(json.loads(text)) == {field.name for field in fields(RunRecord)}
    record = RunRecord.from_json(text)
    assert [step.index for step in record.steps] == [1, 2, 3]
    assert record.ending == "finished"
    assert record.config.backbone == "vgg16"
    assert record.weights.source == "random"
    assert record.best is not None
    assert record.best.total == min(step.total for step in record.steps)
    assert read_settings((folder / "out.png").read_bytes()) == record.settings()
    assert files(folder) == {"out.png", "run.json"}


@pytest.mark.usefixtures("tiny")
def test_quiet_says_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert transfer("--quiet", output="out.jpg") == 0
    assert capsys.readouterr() == ("", "")
    assert (folder / "out.jpg").read_bytes().startswith(b"\xff\xd8\xff")


@pytest.mark.usefixtures("tiny", "folder")
def test_samples_go_by_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transfer", "skyline", "swirling-night", "-o", "out.png", *FEW, "--record", "run.json"]) == 0
    assert capsys.readouterr().out.startswith("out.png: ")
    record = RunRecord.from_json(Path("run.json").read_text("utf-8"))
    assert (record.content.name, record.style.name) == ("skyline", "swirling-night")


def decoded(path: Path) -> Any:
    return np.asarray(Image.open(io.BytesIO(path.read_bytes())))


BAD = [
    (["absent.png", "style.png", "-o", "out.png"], "absent.png"),
    (["content.png", "notes.txt", "-o", "out.png"], "notes.txt"),
    (["content.png", ".", "-o", "out.png"], "is a folder"),
    (["", "style.png", "-o", "out.png"], "is a folder"),
    (["SKYLINE", "style.png", "-o", "out.png"], "the samples are skyline, "),
    (["content.png", "style.png", "-o", "content.png"], "content.png is a picture to start from"),
    (["./content.png", "style.png", "-o", "out.png", "--record", "style.png"], "style.png is a picture to"),
    (["content.png", "style.png", "-o", "n" * 300 + ".png"], "cannot be written"),
    (["content.png", "style.png", "-o", "ring.png", "--record", "run.json"], "ring.png cannot be written"),
    (["content.png", "style.png", "-o", "out.gif"], "received 'out.gif'"),
    (["content.png", "style.png", "-o", "out"], "received 'out'"),
    (["content.png", "style.png", "-o", "nowhere/out.png"], "no folder nowhere"),
    (["content.png", "style.png", "-o", "folder.png"], "folder.png"),
    (["content.png", "style.png", "-o", "out.png", "--record", "nowhere/run.json"], "no folder nowhere"),
    (["content.png", "style.png", "-o", "out.png", "--record", "out.png"], "name two files"),
    (["content.png", "style.png", "-o", "out.png", "--record", "./folder.png/../out.png"], "name two files"),
    (["content.png", "style.png", "-o", "out.png", "--size", "3"], "received 3"),
    (["content.png", "style.png", "-o", "out.png", "--steps", "0"], "received 0"),
    (["content.png", "style.png", "-o", "out.png", "--steps", "1000000000"], "received 1000000000"),
    (["content.png", "style.png", "-o", "out.png", "--seed", "-1"], "received -1"),
    (["content.png", "style.png", "-o", "out.png", "--style-weight", "nan"], "received nan"),
    (["content.png", "style.png", "-o", "out.png", "--tv-weight=-inf"], "received -inf"),
    (["content.png", "style.png", "-o", "out.png", "--learning-rate", "0"], "received 0.0"),
    (["content.png", "style.png", "-o", "out.png", "--content-weight", "0", "--style-weight", "0"], "both 0"),
    (["content.png", "style.png", "-o", "out.png", "--weights", ""], "received ''"),
    (["content.png", "style.png", "-o", "out.png", "--weights", "absent.h5"], "absent.h5"),
    (["narrow.png", "style.png", "-o", "out.png", "--weights", "random", "--size", "64"], "too narrow"),
]


@pytest.mark.parametrize(("arguments", "told"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_is_told_in_one_sentence_and_writes_nothing(
    arguments: list[str], told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "notes.txt").write_text("A note.")
    (folder / "folder.png").mkdir()
    (folder / "ring.png").symlink_to(folder / "ring.png")
    (folder / "narrow.png").write_bytes(encode_png(make_picture(32, 200).pixels))
    before = files(folder)
    assert main(["transfer", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert re.fullmatch(r"nst: [^\n]+\.\n", said.err)
    assert told in said.err
    assert files(folder) == before


@pytest.mark.parametrize(
    "arguments",
    [[], ["paint"], ["transfer"], ["transfer", "a.png", "b.png"], ["transfer", "a", "b", "-o", "c.png", "-x"],
     ["transfer", "a", "b", "-o", "c.png", "--backbone", "alexnet"],
     ["transfer", "a", "b", "-o", "c.png", "--size", "big"], ["weights", "--get", "alexnet"]],
)  # fmt: skip
def test_a_command_line_that_is_none_answers_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert re.fullmatch(
        r"nst: [^\n]+; `nst[A-Za-z ]* --help` lists what there is\.\n", capsys.readouterr().err
    )


@pytest.mark.parametrize("arguments", [["--help"], ["transfer", "--help"], ["weights", "--help"]])
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    said = capsys.readouterr()
    assert said.out.startswith("usage: nst")
    assert said.err == ""


def config_of(*options: str) -> TransferConfig:
    return cli.make_config(cli._parser().parse_args(["transfer", "a", "b", "-o", "c.png", *options]))


def test_a_preset_is_overridden_by_what_is_named() -> None:
    standard = PRESETS["standard"]
    assert config_of() == TransferConfig(size=standard.size, steps=standard.steps)
    for name, preset in PRESETS.items():
        config = config_of("--preset", name)
        assert (config.size, config.steps) == (preset.size, preset.steps)
    assert config_of("--preset", "fine", "--size", "100").steps == PRESETS["fine"].steps
    asked = config_of(
        "--backbone=resnet50", "--weights=own.h5", "--size=100", "--steps=7", "--seed=3", "--canvas=pixel",
        "--balance=paper", "--content-weight=0", "--style-weight=2", "--tv-weight=0.5", "--learning-rate=0.1",
        "--init=style", "--padding=zero", "--pooling=max", "--single-size",
    )  # fmt: skip
    assert asked == TransferConfig(
        backbone="resnet50", weights="own.h5", size=100, steps=7, seed=3, canvas="pixel", balance="paper",
        content_weight=0.0, style_weight=2.0, variation_weight=0.5, learning_rate=0.1, init="style",
        padding="zero", pooling="max", ladder=False,
    )  # fmt: skip


@pytest.fixture
def at_step(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[int, Any]]:
    """What is called before the n-th evaluation of the picture."""
    calls: dict[int, Any] = {}
    evaluate, count = Engine.evaluate, iter(range(1, 10**9))

    def call_and_evaluate(engine: Engine, *arguments: Any) -> Any:
        if call := calls.get(next(count)):
            call()
        return evaluate(engine, *arguments)

    monkeypatch.setattr(Engine, "evaluate", call_and_evaluate)
    before = signal.getsignal(signal.SIGINT)
    yield calls
    assert signal.getsignal(signal.SIGINT) is before


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_keeps_the_best_picture(
    number: int, folder: Path, at_step: dict[int, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    at_step[4] = partial(signal.raise_signal, number)
    assert transfer("--steps", "50", "--record", "run.json") == 130
    said = capsys.readouterr()
    record = RunRecord.from_json((folder / "run.json").read_text("utf-8"))
    assert (record.ending, len(record.steps)) == ("stopped", 4)  # the step in hand is finished
    assert said.out == ""
    assert said.err == f"nst: stopped; kept the best picture, of step {record.best_step}, in out.png.\n"
    assert decoded(folder / "out.png").shape == (48, 64, 3)


@pytest.mark.usefixtures("tiny")
def test_a_second_interruption_breaks_off_at_once(
    folder: Path, at_step: dict[int, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    def twice() -> None:
        interrupt()
        interrupt()

    at_step[2] = twice
    assert transfer("--steps", "50") == 130
    assert capsys.readouterr() == ("", "nst: broken off.\n")
    assert files(folder) == set()


@pytest.mark.usefixtures("tiny")
def test_an_interruption_before_the_first_step_leaves_no_picture(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare = material.prepare

    def interrupted(*arguments: Any) -> Any:
        interrupt()
        return prepare(*arguments)

    monkeypatch.setattr(material, "prepare", interrupted)
    assert transfer() == 130
    assert capsys.readouterr() == ("", "nst: stopped; before the first picture.\n")
    assert files(folder) == set()


@pytest.mark.usefixtures("tiny")
def test_stopped_before_the_first_picture_an_older_record_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert transfer("--record", "run.json") == 0
    before = (folder / "run.json").read_bytes()
    prepare = material.prepare

    def interrupted(*arguments: Any) -> Any:
        interrupt()
        return prepare(*arguments)

    monkeypatch.setattr(material, "prepare", interrupted)
    assert transfer("--record", "run.json") == 130
    assert (folder / "run.json").read_bytes() == before


@pytest.mark.usefixtures("tiny")
def test_a_picture_whose_folder_is_gone_is_kept_elsewhere(
    folder: Path, at_step: dict[int, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "gone").mkdir()
    at_step[2] = (folder / "gone").rmdir
    assert (
        main(["transfer", "content.png", "style.png", "-o", "gone/out.png", "--record", "run.json", *FEW])
        == 2
    )
    said = capsys.readouterr()
    assert said.out == ""
    kept = re.fullmatch(
        r"nst: gone/out\.png could not be written \(No such file or directory\); it is in (.+)\.\n", said.err
    )
    assert kept is not None
    assert decoded(Path(kept[1])).shape == (48, 64, 3)
    assert (folder / "run.json").is_file()
    Path(kept[1]).unlink()
    Path(kept[1]).parent.rmdir()


@pytest.mark.usefixtures("tiny")
def test_what_a_person_should_know_of_a_picture_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGBA", (64, 64)).save(folder / "style.png")
    assert transfer() == 0
    said = capsys.readouterr()
    assert said.err.splitlines()[0] == "nst: style.png: wholly transparent, so it is plain white."
    assert said.out.startswith("out.png: ")
    assert transfer("--quiet") == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("folder")
def test_an_interruption_while_reading_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nst_core import pictures

    monkeypatch.setattr(pictures, "open_picture", lambda source: interrupt())
    assert transfer() == 130
    assert capsys.readouterr() == ("", "nst: broken off.\n")


@pytest.mark.usefixtures("tiny")
def test_a_run_without_a_picture_answers_1(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate = Engine.evaluate

    def break_down(engine: Engine, *arguments: Any) -> Any:
        losses, gradient = evaluate(engine, *arguments)
        return replace(losses, content=math.nan), gradient

    monkeypatch.setattr(Engine, "evaluate", break_down)
    assert transfer("--record", "run.json") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "No step had a finite loss" in said.err
    assert files(folder) == {"run.json"}
    assert RunRecord.from_json((folder / "run.json").read_text("utf-8")).best is None


def test_weights_tells_what_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert main(["weights"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["VGG16", "VGG19", "ResNet50"]
    assert all("ImageNet weights absent" in line and str(tmp_path) in line for line in lines)


@pytest.mark.parametrize(("wanted", "fetched"), [("vgg19", ["vgg19"]), ("all", ["vgg19", "resnet50"])])
def test_weights_fetches_what_is_asked_for_and_not_here(
    wanted: str, fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from nst_core import imagenet

    got: list[str] = []
    monkeypatch.setattr(
        imagenet, "imagenet_state", lambda row: "present" if row.name == "vgg16" else "absent"
    )
    monkeypatch.setattr(imagenet, "download_imagenet", lambda row, **_: got.append(row.name))
    assert main(["weights", "--get", wanted]) == 0
    assert got == fetched


# In a process of its own, with nothing replaced.

COMMAND = (sys.executable, "-c", "import sys; from nst_core.cli import main; sys.exit(main())")


@pytest.fixture
def environment() -> dict[str, str]:
    """This one's, as a user has it: nothing said yet about TensorFlow's messages."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return plain | {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}


def test_piped_it_prints_the_closing_line_alone(folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [*COMMAND, "transfer", "content.png", "style.png", "-o", "out.png", *FEW],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=LONG, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.returncode == 0
    assert re.fullmatch(r"out\.png: VGG19, random weights, 3 steps in .+\n", done.stdout)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
@pytest.mark.parametrize(
    "out",
    ["> /dev/full", ">&-", "| true", "--jitter 3 2> /dev/full", "--jitter 3 2>&-", "--jitter 3 2>&1 | true"],
)
def test_nobody_to_read_its_lines_costs_no_picture(
    out: str, folder: Path, environment: dict[str, str]
) -> None:
    command = shlex.join([*COMMAND, "transfer", "content.png", "style.png", "-o", "out.png", *FEW])
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{command} {out}"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=LONG, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert decoded(folder / "out.png").shape == (48, 64, 3)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
def test_on_a_terminal_it_shows_the_loss_and_minds_ctrl_c(folder: Path, environment: dict[str, str]) -> None:
    import pty

    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "transfer", "content.png", "style.png", "-o", "out.png", *FEW, "--steps", "100000"],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    shown = b""
    try:
        while not re.search(r"loss \d", without_escapes(shown)):
            shown += os.read(screen, 4096)  # raises OSError when the process ends without it
        process.send_signal(signal.SIGINT)
        while chunk := read_or_nothing(screen):
            shown += chunk
        out, _ = process.communicate(timeout=LONG)
    finally:
        process.kill()
        process.wait()
        os.close(screen)
    text = without_escapes(shown)
    assert process.returncode == 130
    assert re.search(r"step\s+[1-9]\d*/100000 .* loss \d", text)
    assert re.search(r"nst: stopped; kept the best picture, of step \d+, in out\.png\.", text)
    assert "Traceback" not in text
    assert "oneDNN" not in text
    assert out == b""
    assert decoded(folder / "out.png").shape == (48, 64, 3)


def without_escapes(shown: bytes) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode(errors="replace"))


def read_or_nothing(screen: int) -> bytes:
    try:
        return os.read(screen, 4096)
    except OSError:  # how Linux says that nobody holds the other end any more
        return b""
