"""`show_results`: the entry point of the study that this program grew from (Kalaria and Vagrecha 2021)."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from nst_core.backbones import BACKBONES
from nst_core.config import TransferConfig
from nst_core.errors import ConfigError, RunError
from nst_core.figures import loss_figure
from nst_core.images import Picture, encode_png, to_uint8
from nst_core.pictures import open_picture
from nst_core.records import RunRecord
from nst_core.series import series_of
from nst_core.store import check_writable, write_or_rescue

MODELS = tuple(BACKBONES)  # 0: VGG16, 1: VGG19, 2: ResNet50, as the study numbers them
PARTS = ("total", "style", "content")


def show_results(
    content: str | PathLike[str] | Picture,
    style: str | PathLike[str] | Picture,
    model: int,
    *,
    content_weight: float | None = None,
    style_weight: float | None = None,
    learning_rate: float | None = None,
    save: str | PathLike[str] | None = None,
    **settings: Any,
) -> RunRecord:
    """Transfer once and show the picture with its loss curve; the record of the run comes back.

    content, style: a path, a sample's name, or a Picture. model: 0 for VGG16, 1 for VGG19, 2 for ResNet50.
    save: the path of a PNG; the picture is written there, its curve beside it as .html (over an older one),
    and no window opens.
    Without it both open in the browser. Further settings are the fields of TransferConfig. NSTError says in
    one sentence what is wrong with any of them, or where the files are if their folder has gone meanwhile.
    """
    if isinstance(model, bool) or not isinstance(model, int) or model not in range(len(MODELS)):
        choices = ", ".join(f"{number} for {name}" for number, name in enumerate(MODELS))
        raise ConfigError(f"The model must be {choices}; received {model!r}.")
    if "backbone" in settings:
        raise ConfigError("The model says which network; leave the backbone out.")
    named = {"content_weight": content_weight, "style_weight": style_weight, "learning_rate": learning_rate}
    config = TransferConfig.from_dict({**settings, **named, "backbone": MODELS[model]})
    target = _target(save, (content, style))
    from nst_core.transfer import run_pair

    finished = run_pair(config, open_picture(content), open_picture(style))
    if finished.picture is None:
        return finished.record
    if target is None:
        results_figure(finished.record, finished.picture).show()
        return finished.record
    curve = loss_figure([series_of(finished.record)], parts=PARTS, title="How fast did the losses fall?")
    lost = [
        write_or_rescue(target, encode_png(finished.picture, settings=finished.record.settings())),
        write_or_rescue(target.with_suffix(".html"), curve.to_html().encode()),
    ]
    if any(lost):
        raise RunError(" ".join(filter(None, lost)))
    return finished.record


def _target(save: str | PathLike[str] | None, sources: tuple[object, ...]) -> Path | None:
    if save is None:
        return None
    target = Path(save)
    if target.suffix.lower() != ".png":
        raise ConfigError(f"The picture is saved as PNG; name it so, not {target.name!r}.")
    check_writable(target, sources=sources)
    return target


def results_figure(record: RunRecord, picture: Any) -> Any:
    """The picture, float32 [H, W, 3] in 0..1, beside its loss curve, as one Plotly figure."""
    from plotly.subplots import make_subplots

    curve = loss_figure([series_of(record)], parts=PARTS, title="")
    figure = make_subplots(cols=2, column_titles=["The picture", "How fast did the losses fall?"])
    figure.add_image(z=to_uint8(picture), row=1, col=1)
    for trace in curve.data:
        figure.add_trace(trace, row=1, col=2)
    figure.update_xaxes(visible=False, row=1, col=1)
    figure.update_yaxes(visible=False, row=1, col=1)
    figure.update_xaxes(title="step", row=1, col=2)
    figure.update_yaxes(type="log", title="loss", row=1, col=2)
    return figure
