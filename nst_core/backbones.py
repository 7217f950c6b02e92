"""The three backbones, one frozen row each: label, layers, preprocessing, colour."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from nst_core.architectures import Architecture, resnet50, vgg
from nst_core.errors import ConfigError

# Keras' "caffe" preprocessing, for pictures in 0..255: RGB -> BGR, then subtract these means.
BGR_MEANS = (103.939, 116.779, 123.68)

# A pseudo layer of any backbone: the raw colours (0..1) and a constant 0.5 as a fourth channel.
# Its Gram matrix holds the mean and covariance of colour.
COLOURS = "colours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbone:
    """A network that pictures are compared through.

    `style_layers` and `content_layer` sit at the same depth in each VGG, so that networks are compared
    and not layers. `smallest_side` (pixels) leaves two positions a side in the deepest maps, so that
    reflection has something to reflect. `bfloat16_from_width`: the least width multiplier with which runs in
    bfloat16 end within 2 % of float32's losses over the sample pairs (`python -m tests.bench.precision`).
    """

    name: str
    label: str
    build: Callable[[float], Architecture]
    style_layers: tuple[str, ...]
    sketch_style_layers: tuple[str, ...]
    content_layer: str
    sketch_content_layers: tuple[str, ...]
    colour: str
    imagenet_folder: str
    imagenet_file: str
    imagenet_md5: str
    imagenet_megabytes: float
    bfloat16_from_width: float = 0.0
    smallest_side: int = 33

    def usual_style_layers(self, source: str) -> tuple[str, ...]:
        """The style layers that weights of this source (imagenet, sketch, random, file) get by default.

        Sketches get more: a thin layer says less about style than a wide one.
        """
        return self.sketch_style_layers if source == "sketch" else self.style_layers

    def usual_content_layers(self, source: str) -> tuple[str, ...]:
        """The content layers by default: for sketches shallower ones too, which hold faces and windows."""
        return self.sketch_content_layers if source == "sketch" else (self.content_layer,)

    def architecture(self, width: float = 1.0) -> Architecture:
        """This backbone's layers at a width multiplier (1 is the published network)."""
        return self.build(width)


_VGG_STYLE = tuple(f"block{block}_conv1" for block in range(1, 6))
_VGG_SKETCH = (*(f"block{block}_conv{index}" for block in range(1, 6) for index in (1, 2)), COLOURS)

VGG16 = Backbone(
    name="vgg16",
    label="VGG16",
    build=lambda width: vgg((2, 2, 3, 3, 3), width),
    style_layers=_VGG_STYLE,
    sketch_style_layers=_VGG_SKETCH,
    content_layer="block4_conv2",
    sketch_content_layers=("block2_conv2", "block3_conv2", "block4_conv2"),
    colour="#0072B2",
    imagenet_folder="vgg16",
    imagenet_file="vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    imagenet_md5="6d6bbae143d832006294945121d1f1fc",
    imagenet_megabytes=58.9,
)
VGG19 = Backbone(
    name="vgg19",
    label="VGG19",
    build=lambda width: vgg((2, 2, 4, 4, 4), width),
    style_layers=_VGG_STYLE,
    sketch_style_layers=_VGG_SKETCH,
    content_layer="block4_conv2",
    sketch_content_layers=("block2_conv2", "block3_conv2", "block4_conv2"),
    colour="#009E73",
    imagenet_folder="vgg19",
    imagenet_file="vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    imagenet_md5="253f8cb515780f3b799900260a226db6",
    imagenet_megabytes=80.1,
)
RESNET50 = Backbone(
    name="resnet50",
    label="ResNet50",
    build=resnet50,
    style_layers=(
        "conv1_relu",
        "conv2_block3_out",
        "conv3_block4_out",
        "conv4_block6_out",
        "conv5_block3_out",
    ),
    # Deeper layers take longer and bring textures hardly nearer (tests.bench.techniques: a stage deeper).
    sketch_style_layers=(
        "conv1_relu",
        *(f"conv2_block{index}_out" for index in (1, 3)),
        *(f"conv3_block{index}_out" for index in (1, 2)),
        COLOURS,
    ),
    content_layer="conv4_block6_out",
    # Their strides are those of the VGGs' three.
    sketch_content_layers=("conv1_relu", "conv2_block3_out", "conv3_block2_out"),
    colour="#D55E00",
    imagenet_folder="resnet",
    imagenet_file="resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
    imagenet_md5="4d473c1dd8becc155b73f8504c6f6626",
    imagenet_megabytes=94.7,
    # Its sketch ended up to 2.2 % higher; but rounding the content picture alone changes as much.
    bfloat16_from_width=1.0,
)

BACKBONES: Mapping[str, Backbone] = MappingProxyType({row.name: row for row in (VGG16, VGG19, RESNET50)})


def find_backbone(name: str) -> Backbone:
    """The row of this name; ConfigError naming the choices if there is none."""
    try:
        return BACKBONES[name]
    except KeyError as error:
        raise ConfigError(
            f"The backbone must be one of {', '.join(BACKBONES)}; received {name!r}."
        ) from error


def without_deepest(layers: tuple[str, ...], stages: int = 1) -> tuple[str, ...]:
    """The layers of one backbone but for those of its deepest stages among them; colours stay.

    A stage is what the layers' names begin with, block5 or conv5: maps of one size.
    """
    deepest = sorted({name.split("_")[0] for name in layers if name != COLOURS})[-stages:]
    return tuple(name for name in layers if name.split("_")[0] not in deepest)


def split_layer(key: str, backbone: str) -> tuple[str, str]:
    """("vgg16", "block1_conv1") of "vgg16:block1_conv1"; a layer without a backbone is `backbone`'s own."""
    owner, _, layer = key.rpartition(":")
    return owner or backbone, layer
