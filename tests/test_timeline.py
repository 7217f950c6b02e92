"""Where runs stand at the same moment: by hand, and as properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_core.records import Step
from nst_core.timeline import nearest_thumbnail, steps_at


def line(totals: list[float], seconds_a_step: float = 1.0) -> list[Step]:
    return [
        Step(
            index=index,
            scale=0,
            size=(64, 48),
            total=total,
            content=0.0,
            style=total,
            variation=0.0,
            layers={},
            seconds=index * seconds_a_step,
        )
        for index, total in enumerate(totals, start=1)
    ]


FAST = line([8.0, 4.0, 2.0, 1.0], seconds_a_step=1.0)
SLOW = line([16.0, 8.0], seconds_a_step=4.0)


@pytest.mark.parametrize(
    ("by", "share", "expected"),
    [
        ("step", 0.0, (1, 1)),
        ("step", 0.75, (3, 2)),
        ("step", 1.0, (4, 2)),
        ("second", 0.25, (2, 1)),
        ("second", 0.5, (4, 1)),
        ("second", 1.0, (4, 2)),
        ("loss", 0.0, (1, 1)),
        # From 16 down to 1 in logarithms: a quarter of the way is 8, half of it 4, which SLOW never reached.
        ("loss", 0.25, (1, 2)),
        ("loss", 0.5, (2, 2)),
        ("loss", 1.0, (4, 2)),
    ],
)
def test_moments_worked_by_hand(by: str, share: float, expected: tuple[int, int]) -> None:
    assert steps_at([FAST, SLOW], by, share) == expected


@given(
    totals=st.lists(st.lists(st.floats(0.001, 1000), min_size=1, max_size=20), min_size=1, max_size=4),
    by=st.sampled_from(["step", "second", "loss"]),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_every_moment_is_a_step_and_later_moments_are_not_earlier_steps(
    totals: list[list[float]], by: str, shares: tuple[float, float]
) -> None:
    runs = [line(sorted(numbers, reverse=True)) for numbers in totals]
    early, late = (steps_at(runs, by, share) for share in sorted(shares))
    for steps, before, after in zip(runs, early, late, strict=True):
        assert 1 <= before <= after <= len(steps)


def test_a_loss_that_is_not_a_number_is_never_the_best() -> None:
    assert steps_at([line([2.0, float("nan"), 1.0])], "loss", 1.0) == (3,)


def test_nearest_thumbnail_is_the_last_one_before() -> None:
    kept = [(1, b"a"), (5, b"b"), (9, b"c")]
    assert nearest_thumbnail(kept, 8) == (5, b"b")
    assert nearest_thumbnail(kept, 9) == (9, b"c")
    assert nearest_thumbnail(kept[1:], 2) == (5, b"b")
