"""The tutorial's step against the same by hand in NumPy, its Adam against Keras' own, its layers by name."""

from itertools import islice, pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf

from nst_core import tutorial
from nst_core.backbones import BACKBONES, RESNET50, VGG16
from nst_core.networks import random_network
from nst_core.tutorial import CONTENT_LAYERS, Tutorial, tutorial_steps
from tests.conftest import make_picture
from tests.reference import feature_maps, gram

CASES = [(VGG16, "network"), (RESNET50, "residual_network")]


def losses_by_hand(network, backbone, picture, content, style):
    """(total, style, content, variation) in float64, straight from the tutorial's text."""
    maps, styles, contents = (feature_maps(network, pixels) for pixels in (picture, style, content))
    style_loss = 0.0
    for name in backbone.style_layers:
        made, wanted = (gram(found[name]) / found[name][..., 0].size for found in (maps, styles))
        style_loss += np.mean((made - wanted) ** 2)
    style_loss *= 1e-2 / 5
    name = CONTENT_LAYERS[backbone.name]
    content_loss = 1e4 * np.mean((maps[name] - contents[name]) ** 2)
    pixels = np.asarray(picture, np.float64)
    variation = 30 * sum(np.abs(np.diff(pixels, axis=axis)).sum() for axis in (0, 1))
    return style_loss + content_loss + variation, style_loss, content_loss, variation


@pytest.mark.parametrize(("backbone", "fixture"), CASES, ids=["vgg16", "resnet50"])
def test_losses_are_those_of_the_text(backbone, fixture, request):
    network = request.getfixturevalue(fixture)
    content, style = make_picture(40, 52, seed=1).pixels, make_picture(44, 36, seed=2).pixels
    run = Tutorial(network, backbone, content=content, style=style)
    first = run.advance()
    assert first.content == 0  # the picture is the content still
    picture = run.picture
    second = run.advance()
    np.testing.assert_allclose(first, losses_by_hand(network, backbone, content, content, style), rtol=1e-4)
    np.testing.assert_allclose(second, losses_by_hand(network, backbone, picture, content, style), rtol=1e-4)
    assert second.content > 0


def test_it_moves_pixels_as_keras_adam_does(network, monkeypatch):
    """The gradients that the tutorial takes, put through keras.optimizers.Adam and through NumPy."""
    content, style = make_picture(34, 40, seed=1).pixels, make_picture(40, 34, seed=2).pixels
    gradients = []
    move = Tutorial._adam

    def spy(self, gradient):
        gradients.append(gradient.numpy())
        move(self, gradient)

    monkeypatch.setattr(Tutorial, "_adam", spy)
    monkeypatch.setattr(tf, "function", lambda function, autograph: function)
    run = Tutorial(network, VGG16, content=content, style=style)
    variable = tf.Variable(content[None])
    optimiser = keras.optimizers.Adam(learning_rate=0.02, beta_1=0.99, epsilon=1e-1)
    pixels = content[None].astype(np.float64)
    first = second = np.zeros_like(pixels)
    for step in range(1, 5):
        run.advance()
        optimiser.apply_gradients([(tf.constant(gradients[-1]), variable)])
        variable.assign(tf.clip_by_value(variable, 0.0, 1.0))
        first = 0.99 * first + 0.01 * gradients[-1]
        second = 0.999 * second + 0.001 * gradients[-1].astype(np.float64) ** 2
        rate = 0.02 * np.sqrt(1 - 0.999**step) / (1 - 0.99**step)
        pixels = np.clip(pixels - rate * first / (np.sqrt(second) + 0.1), 0, 1)
        np.testing.assert_allclose(run.picture, variable.numpy()[0], atol=2e-6)
        np.testing.assert_allclose(run.picture, pixels[0], atol=2e-6)
    assert np.abs(run.picture - content).max() > 0.01


def test_the_gradient_is_that_of_the_losses(network, monkeypatch):
    content, style = make_picture(33, 33, seed=1).pixels, make_picture(33, 33, seed=2).pixels
    taken = []
    monkeypatch.setattr(Tutorial, "_adam", lambda self, gradient: taken.append(gradient.numpy()[0]))
    monkeypatch.setattr(tf, "function", lambda function, autograph: function)
    Tutorial(network, VGG16, content=content, style=style).advance()
    # Away from the content, whose own loss is flat there; along one direction, in float64.
    direction = make_picture(33, 33, seed=3).pixels - 0.5
    small = 1e-5
    ahead, behind = (
        losses_by_hand(network, VGG16, content + sign * small * direction.astype(np.float64), content, style)
        for sign in (1, -1)
    )
    slope = (ahead[0] - behind[0]) / (2 * small)
    assert slope == pytest.approx(float((taken[0] * direction).sum()), rel=2e-3)


def test_the_picture_stays_in_range_and_the_last_one_is_the_result(network):
    content, style = make_picture(36, 36, seed=1).pixels, make_picture(36, 36, seed=2).pixels
    steps = list(islice(tutorial_steps(network, VGG16, content=content, style=style), 4))
    pictures = [picture for _, picture in steps]
    assert all(picture.dtype == np.float32 and picture.shape == content.shape for picture in pictures)
    assert min(picture.min() for picture in pictures) >= 0
    assert max(picture.max() for picture in pictures) <= 1
    assert all((one != other).any() for one, other in pairwise(pictures))
    assert all(losses.total == pytest.approx(sum(losses[1:]), rel=1e-5) for losses, _ in steps)


def test_the_style_comes_in(network):
    content, style = make_picture(40, 40, seed=1).pixels, make_picture(40, 40, seed=2).pixels
    steps = tutorial_steps(network, VGG16, content=content, style=style)
    losses = [loss.style for loss, _ in islice(steps, 40)]
    assert min(losses) < 0.5 * losses[0]


@pytest.mark.parametrize("backbone", BACKBONES.values(), ids=list(BACKBONES))
def test_each_backbone_has_its_layers(backbone):
    architecture = backbone.architecture().folded()
    assert architecture.layer(CONTENT_LAYERS[backbone.name]).channels in (512, 2048)
    made = Tutorial(
        random_network(backbone.architecture(1 / 16), 0),
        backbone,
        content=make_picture(33, 33, seed=1).pixels,
        style=make_picture(33, 33, seed=2).pixels,
    )
    assert made.style_layers == backbone.style_layers
    assert len(made._grams) == 5


def test_a_layer_that_should_have_been_folded_is_refused():
    layer = next(layer for layer in RESNET50.architecture().layers if layer.kind == "batch_norm")
    with pytest.raises(ValueError, match="folded"):
        tutorial._apply(layer, [tf.zeros([1, 2, 2, 4])], None)
