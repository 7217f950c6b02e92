"""How peaky a layer's activations are, and how evenly they and their Gram matrix are spread.

Wang, Li and Vasconcelos (CVPR 2021) trace the poor styles of residual networks to this: with depth, the sums
at the ends of residual blocks grow large maxima, and the entropy of activations and Gram matrices falls.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nst_core.errors import ConfigError, NSTError
from nst_core.networks import Network

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerStatistics:
    """One layer's activations a >= 0 for one picture, [h, w, N].

    mean            of all activations, in the network's own unit
    peak_over_mean  the largest activation over the mean: 1 when all are equal
    entropy         of p = a / sum(a) over all channels and positions, divided by ln(h w N):
                    1 when all are equal, 0 when one activation holds everything
    gram_entropy    of q = G / sum(G) over the N^2 entries of the Gram matrix, divided by ln(N^2):
                    1 when all pairs of channels go together alike, 0 when one entry holds everything

    The last three are NaN for a layer that is 0 everywhere.
    """

    name: str
    mean: float
    peak_over_mean: float
    entropy: float
    gram_entropy: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; NaN becomes None, which JSON has."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LayerStatistics:
        """What `to_dict` wrote; NSTError when the data is something else."""
        try:
            numbers = {
                name: math.nan if data[name] is None else float(data[name])
                for name in ("mean", "peak_over_mean", "entropy", "gram_entropy")
            }
            return cls(name=str(data["name"]), **numbers)
        except (KeyError, TypeError, ValueError) as error:
            raise NSTError(
                "These are not a layer's statistics, or they are damaged; measure again."
            ) from error


def spread(values: Array) -> float:
    """Entropy of p = values / sum(values), divided by ln(count): 0 for one spike, 1 for equal values.

    values: any shape, 0 or more; 0 ln 0 counts as 0. NaN when all values are 0 or there are fewer than two.
    """
    total = float(values.sum(dtype=np.float64))
    if values.size < 2 or total == 0:
        return math.nan
    shares = values / total
    shares = shares[shares > 0]  # after the division, which may end in 0
    entropy = -float((shares * np.log(shares)).sum(dtype=np.float64))
    return min(1.0, max(0.0, entropy / math.log(values.size)))


def statistics_of(name: str, maps: Array) -> LayerStatistics:
    """Statistics of one layer's activations [h, w, N]; ConfigError when some are below 0."""
    if float(maps.min()) < 0:
        raise ConfigError(
            f"{name} has activations below 0, so they are not shares of a whole; choose a layer after a ReLU."
        )
    mean = float(maps.mean(dtype=np.float64))
    flat = maps.reshape(-1, maps.shape[-1])
    return LayerStatistics(
        name=name,
        mean=mean,
        peak_over_mean=float(maps.max()) / mean if mean else math.nan,
        entropy=spread(maps),
        # Divided by the positions, as everywhere here; a constant factor leaves the entropy as it is.
        gram_entropy=spread(flat.T @ flat / len(flat)),
    )


def layer_statistics(
    network: Network, layers: tuple[str, ...], picture: Array
) -> tuple[LayerStatistics, ...]:
    """Statistics of these layers for a picture, float32 [H, W, 3] in 0..1, in the order asked for.

    One pass through the network with black borders and max pooling, as it was trained. Raises ConfigError
    for a layer that the network does not have or that comes before its ReLU.
    """
    from nst_core.features import Extractor

    maps = Extractor(network, layers)(picture)
    return tuple(statistics_of(name, np.asarray(maps.pop(name))[0]) for name in layers)
