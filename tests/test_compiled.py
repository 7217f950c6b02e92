"""Functions that are traced once and computed where they are called."""

import gc
import threading
import weakref

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from nst_core.compiled import Compiled

VALUES = tf.TensorSpec([None, 2])


def scaled(factor: float) -> Compiled:
    """Of two arrays: their sum times a captured factor, and each by itself."""
    held = tf.constant([factor, 2 * factor])
    return Compiled(
        lambda one, pair: {"sum": (one + pair[0]) * held, "each": (one, pair[0], pair[1])},
        [VALUES, (VALUES, tf.TensorSpec([], tf.int32))],
    )


@pytest.fixture(scope="module")
def tripled() -> Compiled:
    return scaled(3.0)


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(0, 5), seed=st.integers(0, 9))
def test_it_gives_the_functions_structure_of_arrays_for_every_shape(tripled, rows, seed):
    one, other = np.random.default_rng(seed).random((2, rows, 2), np.float32)
    found = tripled(one, (tf.constant(other), np.int32(seed)))
    np.testing.assert_array_equal(found["sum"], (one + other) * np.float32([3, 6]))
    for wanted, part in zip((one, other, seed), found["each"], strict=True):
        assert isinstance(part, (np.ndarray, np.generic))
        np.testing.assert_array_equal(part, wanted)
    assert tripled.traces == 1


@pytest.mark.parametrize("gpu", [False, True])
def test_parts_need_the_first_arguments_alone_and_share_one_trace(gpu, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind] if gpu else [])
    held = tf.constant([3.0, 5.0])
    whole = Compiled(
        lambda one, other: {"one": one * held, "both": (one + other, other), "other": other},
        [VALUES, VALUES],
    )
    one, both = whole.part("one", 1), whole.part("both", 2)
    ones, other = np.float32([[1, 1]] * 3), np.float32([[4, 4]] * 3)
    np.testing.assert_array_equal(one(ones), [[3, 5]] * 3)
    found = both(ones, other)
    np.testing.assert_array_equal(found[0], 5 * ones)
    np.testing.assert_array_equal(found[1], other)
    np.testing.assert_array_equal(whole(ones, other)["one"], [[3, 5]] * 3)
    assert (whole.traces, one.traces, both.traces) == (1, 1, 1)


def test_a_part_that_needs_more_arguments_says_so():
    whole = Compiled(lambda one, other: {"both": one + other}, [VALUES, VALUES])
    with pytest.raises(tf.errors.InvalidArgumentError, match="other"):
        whole.part("both", 1)(np.zeros((1, 2), np.float32))


def test_arguments_are_left_alone_and_results_stay(tripled):
    one, other = np.ones((2, 3, 2), np.float32)
    first = tripled(one, (other, np.int32(1)))["sum"].copy()
    kept = tripled(one, (other, np.int32(1)))["sum"]
    tripled(7 * one, (other, np.int32(1)))
    np.testing.assert_array_equal(kept, first)
    np.testing.assert_array_equal(one, 1)


def test_results_cannot_be_written_to(tripled):
    # They may be the memory of what the graph holds.
    one, other = np.ones((2, 3, 2), np.float32)
    found = tripled(one, (other, np.int32(1)))["sum"]
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 7


def test_gradients_of_others_stay_registered():
    doubled = tf.custom_gradient(lambda values: (2.0 * values, lambda above: 5.0 * above))
    inner = tf.function(lambda values: doubled(values), input_signature=[VALUES], autograph=False)
    inner.get_concrete_function()
    Compiled(lambda values: doubled(values), [VALUES])(np.zeros((1, 2), np.float32))
    values = tf.constant([[1.0, 2.0]])
    with tf.GradientTape() as tape:
        tape.watch(values)
        found = inner(values)
    np.testing.assert_array_equal(tape.gradient(found, values), [[5, 5]])


def test_bfloat16_is_captured_as_it_is():
    held = tf.cast([[1.0, -0.5]], tf.bfloat16)
    found = Compiled(lambda values: tf.cast(tf.cast(values, tf.bfloat16) * held, tf.float32), [VALUES])
    np.testing.assert_array_equal(found(np.float32([[3, 4]])), [[3, -2]])


def test_it_is_computed_by_the_thread_that_calls():
    threads = []

    def seen(values):
        threads.append(threading.get_ident())
        return values

    function = Compiled(lambda values: tf.numpy_function(seen, [values], tf.float32) + 1.0, [VALUES])
    values = np.zeros((1, 2), np.float32)
    function(values)
    other = threading.Thread(target=function, args=(values,))
    other.start()
    other_id = other.ident
    other.join()
    assert threads == [threading.get_ident(), other_id]


def test_threads_that_call_first_at_once_trace_it_once():
    both, began = threading.Barrier(2), []

    def slow(values):
        began.append(threading.get_ident())
        return tf.sort(values) * 2.0

    function = Compiled(slow, [VALUES])

    def call() -> None:
        both.wait(60)
        function(np.zeros((1, 2), np.float32))

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(began), function.traces) == (1, 1)


def test_where_there_is_a_gpu_the_same_is_given(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    found = scaled(2.0)(np.float32([[1, 2]]), (np.float32([[3, 4]]), np.int32(5)))
    np.testing.assert_array_equal(found["sum"], [[8, 24]])
    assert all(isinstance(part, (np.ndarray, np.generic)) for part in found["each"])


@pytest.mark.parametrize("gpu", [False, True])
def test_graph_and_captured_arrays_go_with_it(gpu, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind] if gpu else [])

    class Owner:
        def __init__(self) -> None:
            self.held = tf.constant([2.0, 3.0])
            self.slope = Compiled(self.computed, [VALUES])

        def computed(self, values):
            # A gradient of its own, as the convolutions have: TensorFlow's register would keep the graph.
            scaled = tf.custom_gradient(lambda one: (one * self.held, lambda above: 10.0 * above * self.held))
            with tf.GradientTape() as tape:
                tape.watch(values)
                found = scaled(values)
            return tape.gradient(found, values)

    owner = Owner()
    np.testing.assert_array_equal(owner.slope(np.float32([[1, 1]])), [[20, 30]])
    traced = owner.slope.traced().graph
    left = [weakref.ref(thing) for thing in (owner, owner.held, owner.slope, traced)]
    del owner, traced
    gc.collect()
    assert [thing() for thing in left] == [None] * 4


def test_an_argument_of_another_type_is_refused(tripled):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"double vs\. expect float"):
        tripled(np.zeros((1, 2)), (np.zeros((1, 2), np.float32), np.int32(1)))
