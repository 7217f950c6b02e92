"""The cross-examination: every finished picture seen through every network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from nst_core.backbones import find_backbone
from nst_core.config import TransferConfig
from nst_core.images import Pixels, resize, resize_longest
from nst_core.models import Models


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one network (`judge`) finds in one picture, both by their labels.

    style_error    mean over the judge's style layers of sum (G - A)^2 / sum A^2: 0 has the style picture's
                   Gram matrices, 1 is as far as a picture whose feature maps are 0; there is no upper end
    content_error  sum (F - P)^2 / sum P^2 at the judge's content layer, read likewise
    own            the picture was painted through the judge's own architecture, alone or among others: it was
                   made to please this very judge, so the mark says little
    """

    judge: str
    picture: str
    style_error: float
    content_error: float
    own: bool


def judge(
    pictures: Mapping[str, Pixels],
    content: Pixels,
    style: Pixels,
    *,
    models: Models,
    judges: Sequence[TransferConfig],
    size: int,
    made_by: Mapping[str, Collection[str]] | None = None,
) -> tuple[Verdict, ...]:
    """Each network's view of each picture: judges in their order, and within a judge the pictures in theirs.

    pictures: label -> float32 [H, W, 3] in 0..1, all of the content's shape.
    size: their longest side, pixels; content and style are brought to it as in a run.
    made_by: label -> names of the backbones that painted the picture; a label that is not in it is taken for
    a backbone's name or label itself.

    Of a judge's settings only the network counts (backbone, weights, seed, padding, pooling): the errors are
    the relative losses (`balance="relative"`, see `losses`) at its default layers, all style layers alike.
    """
    content, style = resize_longest(content, size), resize_longest(style, size)
    shape = (content.shape[1], content.shape[0])
    seen = {label: resize(pixels, shape) for label, pixels in pictures.items()}
    makers = {label: (made_by or {}).get(label, (label,)) for label in pictures}
    return tuple(
        Verdict(
            judge=name,
            picture=label,
            style_error=style_error,
            content_error=content_error,
            own=not {config.backbone, find_backbone(config.backbone).label}.isdisjoint(makers[label]),
        )
        for config, name in zip(judges, _names(judges, models), strict=True)
        for label, (style_error, content_error) in _examine(seen, content, style, config, models).items()
    )


def _names(judges: Sequence[TransferConfig], models: Models) -> list[str]:
    """A label for each judge, all different; the weights are named where two share a backbone."""
    times = Counter(config.backbone for config in judges)
    names: list[str] = []
    for config in judges:
        label = find_backbone(config.backbone).label
        if times[config.backbone] > 1:
            label = f"{label}, {models.network(config)[1].label}"
        twins = sum(name == label or name.startswith(f"{label} (") for name in names)
        names.append(f"{label} ({twins + 1})" if twins else label)
    return names


def _examine(
    pictures: Mapping[str, Pixels],
    content: Pixels,
    style: Pixels,
    config: TransferConfig,
    models: Models,
) -> dict[str, tuple[float, float]]:
    """(style error, content error) of each picture in the eyes of this config's network."""
    from nst_core.material import resolve

    config = TransferConfig(
        backbone=config.backbone,
        weights=config.weights,
        seed=config.seed,
        padding=config.padding,
        pooling=config.pooling,
        precision=config.precision,
    )
    loaded = models.networks(config)
    config = resolve(config, loaded[config.backbone][1])
    engine = models.engine(config, loaded)
    targets = engine.targets(
        content,
        style,
        style_weights=tuple(weight for _, weight in config.style_layers or ()),
        content_weights=tuple(weight for _, weight in config.content_layers or ()),
        balance=config.balance,
    )
    losses = {label: engine.errors(pixels, targets) for label, pixels in pictures.items()}
    return {label: (loss.style, loss.content) for label, loss in losses.items()}
