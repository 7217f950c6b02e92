"""Statistics of arrays worked out by hand, and of a network's maps against a reference."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core.activations import LayerStatistics, layer_statistics, spread, statistics_of
from nst_core.anatomy import stations
from nst_core.errors import ConfigError, NSTError
from tests.conftest import make_picture
from tests.reference import feature_maps


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([1, 1, 1, 1], 1.0),
        ([0, 0, 0, 7], 0.0),
        ([3, 3, 0, 0], 0.5),  # ln 2 / ln 4
        ([2, 1, 1, 0], 0.75),  # (1/2 ln 2 + 2 * 1/4 ln 4) / ln 4 = 1.5 ln 2 / (2 ln 2)
        ([[4, 2], [2, 0]], 0.75),  # neither shape nor scale counts
    ],
)
def test_spread(values, wanted):
    assert spread(np.array(values, np.float32)) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("values", [[0, 0, 0], [5], [0]])
def test_spread_of_nothing_or_of_one_value_is_not_a_number(values):
    assert math.isnan(spread(np.array(values, np.float32)))


@given(st.lists(st.floats(0, 1e6, width=32), min_size=2, max_size=30), st.integers(0, 2**32 - 1))
def test_spread_lies_between_0_and_1_and_forgets_the_order(values, seed):
    array = np.array(values, np.float32)
    if array.sum() < 1e-3:
        return
    made = spread(array)
    assert 0 <= made <= 1
    assert spread(np.random.default_rng(seed).permutation(array)) == pytest.approx(made, abs=1e-5)


def test_statistics_by_hand():
    # Two channels at two positions: channel 0 is 3 and 1, channel 1 is 0 and 0.
    maps = np.array([[[3, 0], [1, 0]]], np.float32)
    made = statistics_of("layer", maps)
    assert made.name == "layer"
    assert made.mean == 1.0
    assert made.peak_over_mean == 3.0
    shares = (0.75, 0.25)
    assert made.entropy == pytest.approx(-sum(p * math.log(p) for p in shares) / math.log(4), rel=1e-6)
    assert made.gram_entropy == 0.0  # one entry, G_00 = (9 + 1) / 2, holds everything


def test_gram_entropy_by_hand():
    # Channels that are never active together: a diagonal Gram matrix, two of its four entries equal.
    apart = np.array([[[2, 0], [0, 2]]], np.float32)
    assert statistics_of("layer", apart).gram_entropy == pytest.approx(0.5, rel=1e-6)
    # The same channels always together: four equal entries.
    together = np.array([[[2, 2], [1, 1]]], np.float32)
    assert statistics_of("layer", together).gram_entropy == pytest.approx(1.0, rel=1e-6)


def test_one_large_activation_is_peaky_and_of_low_entropy(rng):
    even = rng.uniform(0.9, 1.1, (8, 8, 16)).astype(np.float32)
    peaky = even.copy()
    peaky[3, 4, 5] = 1e5
    before, after = statistics_of("even", even), statistics_of("peaky", peaky)
    assert after.peak_over_mean > 100 * before.peak_over_mean
    assert after.entropy < before.entropy
    assert after.gram_entropy < before.gram_entropy


def test_a_dead_layer_has_a_mean_of_0_and_no_other_number():
    made = statistics_of("dead", np.zeros((2, 2, 3), np.float32))
    assert made.mean == 0
    assert all(math.isnan(value) for value in (made.peak_over_mean, made.entropy, made.gram_entropy))


def test_activations_below_0_are_refused():
    with pytest.raises(ConfigError, match="sum has activations below 0"):
        statistics_of("sum", np.array([[[1.0, -0.1]]], np.float32))


def test_statistics_of_a_networks_layers_are_those_of_its_maps(residual_network):
    picture = make_picture(40, 48, seed=3).pixels
    names = stations(residual_network.architecture)[::-1]
    made = layer_statistics(residual_network, names, picture)
    wanted = feature_maps(residual_network, picture)
    assert tuple(row.name for row in made) == names
    for row in made:
        maps = wanted[row.name].reshape(-1, wanted[row.name].shape[-1])
        assert row.peak_over_mean == pytest.approx(maps.max() / maps.mean(), rel=1e-3)
        shares = maps[maps > 0] / maps.sum()
        assert row.entropy == pytest.approx(-(shares * np.log(shares)).sum() / math.log(maps.size), abs=1e-3)
        gram = np.einsum("ki,kj->ij", maps, maps)
        shares = gram[gram > 0] / gram.sum()
        assert row.gram_entropy == pytest.approx(
            -(shares * np.log(shares)).sum() / math.log(gram.size), abs=1e-3
        )


def test_a_layer_before_its_relu_and_one_that_is_not_there_are_refused(residual_network):
    picture = make_picture(40, 48).pixels
    with pytest.raises(ConfigError, match="conv2_block1_add has activations below 0"):
        layer_statistics(residual_network, ("conv2_block1_add",), picture)
    with pytest.raises(ConfigError, match="resnet50 has no layer named 'block1_conv1'"):
        layer_statistics(residual_network, ("block1_conv1",), picture)


def test_to_json_and_back_also_without_numbers():
    whole = LayerStatistics(name="a", mean=0.1, peak_over_mean=30.5, entropy=0.5, gram_entropy=0.25)
    assert LayerStatistics.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole
    dead = statistics_of("dead", np.zeros((2, 2, 3), np.float32))
    text = json.dumps(dead.to_dict(), allow_nan=False)
    back = LayerStatistics.from_dict(json.loads(text))
    assert (back.name, back.mean) == ("dead", 0.0)
    assert math.isnan(back.entropy)


@pytest.mark.parametrize("data", [{}, {"name": "a"}, {"name": "a", "mean": "much"}])
def test_damaged_data_is_refused_in_a_sentence(data):
    with pytest.raises(NSTError, match="measure again"):
        LayerStatistics.from_dict(data)
