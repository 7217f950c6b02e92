"""Networks and compiled steps, made once and shared: an explicit shelf that its owner keeps."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from nst_core.backbones import find_backbone
from nst_core.config import TransferConfig
from nst_core.imagenet import Progress
from nst_core.images import Picture
from nst_core.networks import Network
from nst_core.records import WeightsSource
from nst_core.weights import choose_source, load_network, weights_identity

if TYPE_CHECKING:
    from nst_core.engine import Engine
    from nst_core.material import Material

Value = TypeVar("Value")
Loaded = Mapping[str, tuple[Network, WeightsSource]]  # by the backbone's name

MOST_NETWORKS = 6  # three backbones, sketch and ImageNet: about 250 MB at most
MOST_ENGINES = 12


class Recent(Generic[Value]):
    """The most recently used values; each is made once, also when several threads ask at the same time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of this key, made now if it is not there."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    return self._values[key]
            value = make()
            with self._lock:
                self._values[key] = value
                while len(self._values) > self._most:
                    dropped, _ = self._values.popitem(last=False)
                    self._making.pop(dropped, None)
            return value

    def __len__(self) -> int:
        return len(self._values)


class Models:
    """Loaded networks and compiled engines, for one process; safe to use from several threads.

    `loads` counts the networks that were asked for and not here yet, for whoever wants to know that nothing
    was loaded twice.
    """

    def __init__(self) -> None:
        self.loads = 0
        self._networks: Recent[tuple[Network, WeightsSource]] = Recent(MOST_NETWORKS)
        self._engines: Recent[Engine] = Recent(MOST_ENGINES)

    def network(
        self, config: TransferConfig, *, progress: Progress = lambda done, size: None
    ) -> tuple[Network, WeightsSource]:
        """The network of these settings, its arrays already tensors, and where its weights came from."""
        backbone = find_backbone(config.backbone)
        wanted, note = choose_source(backbone) if config.weights == "auto" else (config.weights, "")
        key = (weights_identity(backbone, wanted), config.seed if wanted == "random" else 0)

        def make() -> tuple[Network, WeightsSource]:
            self.loads += 1
            return _shared(*load_network(backbone, wanted, seed=config.seed, progress=progress))

        network, source = self._networks.get(key, make)
        # The shelf serves those who named the source and those who let `auto` choose it alike.
        return network, replace(source, note=note)

    def networks(self, config: TransferConfig) -> Loaded:
        """The networks of all backbones whose layers these settings name, the run's own first."""
        from nst_core.material import backbones_of, lender

        return {name: self.network(lender(config, name)) for name in backbones_of(config)}

    def engine(self, config: TransferConfig, loaded: Loaded) -> Engine:
        """The compiled objective for resolved settings."""
        from nst_core.material import make_engine

        # The networks themselves, not what they are called: what `auto` means may have changed since.
        networks = tuple((name, network) for name, (network, _) in loaded.items())
        layers = tuple(
            tuple(name for name, _ in layers or ()) for layers in (config.style_layers, config.content_layers)
        )
        kinds = (
            config.padding,
            config.pooling,
            config.statistic,
            config.smoothing,
            config.temperature,
            config.variation,
            config.precision,
        )
        return self._engines.get((networks, layers, kinds), lambda: make_engine(config, loaded))

    def material(self, config: TransferConfig, content: Picture, style: Picture) -> Material:
        """`material.prepare` with networks and objective from the shelf."""
        from nst_core.material import prepare, resolve

        loaded = self.networks(config)
        engine = self.engine(resolve(config, loaded[config.backbone][1]), loaded)
        return prepare(config, content, style, loaded=loaded, engine=engine)


def _shared(network: Network, source: WeightsSource) -> tuple[Network, WeightsSource]:
    """The same with tensors, which all engines share; the NumPy arrays are let go."""
    from nst_core.tensors import tensor_of

    arrays = {name: tuple(tensor_of(array) for array in pair) for name, pair in network.arrays.items()}
    return Network(network.architecture, arrays), source
