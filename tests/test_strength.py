"""Style strength: from faithful to wild, and what alpha comes of it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core import strength as module
from nst_core.backbones import BACKBONES
from nst_core.choices import LOSS_WEIGHTS, STRENGTH
from nst_core.config import TransferConfig
from nst_core.strength import CURVES, KNOTS, content_weight_at, is_of_strength, loss_weights, smooths_as_usual

KINDS = [*CURVES, ("vgg16", "never measured")]


@pytest.mark.parametrize(("backbone", "source"), KINDS)
def test_alpha_falls_from_faithful_to_wild_through_the_knots(backbone: str, source: str) -> None:
    curve = CURVES.get((backbone, source), CURVES["", ""])
    alphas = [content_weight_at(strength, backbone, source) for strength in KNOTS]
    assert alphas == pytest.approx([10**power for power in curve])
    assert alphas == sorted(alphas, reverse=True)
    # Half way between two knots alpha is their geometric mean.
    between = content_weight_at(12.5, backbone, source)
    assert between == pytest.approx((alphas[0] * alphas[1]) ** 0.5)


@given(strength=st.floats(0, 100), by_hand=st.floats(1e-3, 1e3))
def test_the_strength_counts_where_alpha_was_not_chosen(strength: float, by_hand: float) -> None:
    config = TransferConfig(strength=strength)
    alpha, beta, gamma = loss_weights(config, "random")
    assert alpha == content_weight_at(strength, "vgg19", "random")
    assert beta == LOSS_WEIGHTS["relative"][1]
    assert gamma == pytest.approx(2.3 * alpha**0.5)
    by_hands = TransferConfig(strength=strength, content_weight=by_hand)
    assert loss_weights(by_hands, "random") == (by_hand, 1.0, pytest.approx(2.3 * by_hand**0.5))


def test_gamma_follows_alpha_where_it_was_not_chosen() -> None:
    assert loss_weights(TransferConfig(content_weight=4.0), "")[2] == pytest.approx(4.6)
    for backbone, gamma in (("vgg16", 5.52), ("vgg19", 5.06), ("resnet50", 6.9)):
        config = TransferConfig(backbone=backbone, content_weight=4.0)
        assert loss_weights(config, "sketch")[2] == pytest.approx(gamma)
    assert loss_weights(TransferConfig(content_weight=0.0), "")[2] == 0
    assert loss_weights(TransferConfig(content_weight=4.0, variation_weight=0.25), "")[2] == 0.25
    assert loss_weights(TransferConfig(content_weight=4.0, variation_weight=0.0), "")[2] == 0


def test_whether_gamma_is_alphas() -> None:
    assert smooths_as_usual(TransferConfig(), "")
    assert smooths_as_usual(TransferConfig(content_weight=4.0), "")
    assert smooths_as_usual(TransferConfig(content_weight=4.0, variation_weight=4.6), "")
    assert not smooths_as_usual(TransferConfig(content_weight=4.0, variation_weight=4.7), "")
    assert not smooths_as_usual(TransferConfig(variation_weight=1.0), "")
    assert smooths_as_usual(TransferConfig(balance="paper", content_weight=1.0, variation_weight=0.0), "")
    for gamma, usual in ((6.9, True), (4.6, False)):
        config = TransferConfig(backbone="resnet50", content_weight=4.0, variation_weight=gamma)
        assert smooths_as_usual(config, "sketch") is usual


def test_the_papers_balance_has_its_own_weights() -> None:
    config = TransferConfig(balance="paper", strength=10.0)
    assert loss_weights(config, "random") == (*LOSS_WEIGHTS["paper"], 0.0)
    assert not is_of_strength(config, "random")


def test_whether_alpha_is_the_strengths() -> None:
    alpha = content_weight_at(30.0, "vgg19", "sketch")
    assert is_of_strength(TransferConfig(strength=30.0), "sketch")
    assert is_of_strength(TransferConfig(strength=30.0, content_weight=alpha), "sketch")
    assert not is_of_strength(TransferConfig(strength=30.0, content_weight=1.01 * alpha), "sketch")


strengths = st.floats(0, 100)
SOURCES = ("imagenet", "sketch", "random", "file", "")
kinds = st.tuples(st.sampled_from(sorted(BACKBONES)), st.sampled_from(SOURCES))


def test_a_curve_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    curves = {("", ""): (2.0, 1.0, 0.0, -1.0, -2.0), ("vgg16", "sketch"): (0.0, 0.0, -1.0, -1.0, -3.0)}
    monkeypatch.setattr(module, "CURVES", curves)
    assert content_weight_at(0, "vgg16", "random") == pytest.approx(100)
    assert content_weight_at(37.5, "vgg16", "random") == pytest.approx(10**0.5)
    assert content_weight_at(100, "vgg19", "sketch") == pytest.approx(0.01)
    assert content_weight_at(87.5, "vgg16", "sketch") == pytest.approx(0.01)


@given(kinds, strengths, strengths)
def test_more_strength_is_never_more_content(kind: tuple[str, str], one: float, other: float) -> None:
    weaker, stronger = sorted((one, other))
    assert content_weight_at(weaker, *kind) >= content_weight_at(stronger, *kind) > 0


def test_curves_fall_from_knot_to_knot() -> None:
    assert (KNOTS[0], KNOTS[-1]) == (0, 100)
    for curve in CURVES.values():
        assert len(curve) == len(KNOTS)
        assert all(left > right for left, right in pairwise(curve))


def test_where_the_slider_begins_stands_the_default_of_weights_that_were_not_measured() -> None:
    assert content_weight_at(STRENGTH, "", "") == pytest.approx(LOSS_WEIGHTS["relative"][0])
