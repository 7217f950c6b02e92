"""What the settings change, in words and formulas, in the style of the algorithm's own parts."""

from nst_core.choices import STRENGTH, VARIATION_OVER_ROOT
from nst_core.strength import SMOOTHER, content_weight_at

_FAITHFUL, _USUAL, _WILD = (content_weight_at(strength, "", "") for strength in (0, STRENGTH, 100))

# Title and text of each part.
OF_THE_SETTINGS = (
    (
        "Style strength",
        rf"""
How a picture comes out hangs on the ratio of the two weights, so one slider is enough: $\beta$ stays 1, and
a strength of $s$ sets $\alpha$ along a line through points at 0, 25, 50, 75 and 100, over its logarithm. The
smoothing goes along, as there is more grain to smooth where the content weighs more:

$$
\alpha = 10^{{\,c(s)}} \qquad \gamma = {VARIATION_OVER_ROOT["relative"]:g} \sqrt\alpha
$$

The bundled sketches take more: {SMOOTHER["vgg16", "sketch"]:g} times that $\gamma$ on VGG16,
{SMOOTHER["vgg19", "sketch"]:g} times on VGG19 and {SMOOTHER["resnet50", "sketch"]:g} times on ResNet50.

On most networks $\alpha$ goes from {_FAITHFUL:.3g} (faithful) over {_USUAL:.3g} (at {STRENGTH:g}, the
default) to {_WILD:.3g} (wild). Each bundled sketch has its own line, measured so that one strength keeps as
much of the content's structure and edges on both VGGs. ResNet50's keeps somewhat more, as below that it loses
the content and comes no nearer to the style.
""",
    ),
    (
        "Adam and L-BFGS",
        r"""
Both follow the gradient $g$ of the loss. Adam (Kingma and Ba 2015) averages it, and its square, over the last
steps and moves every number $z$ by about the same learning rate $\eta$, however flat the loss is there:

$$
z \leftarrow z - \eta\, \frac{\hat m}{\sqrt{\hat v} + \epsilon}
$$

It bears noise, such as that of jitter and of half precision. L-BFGS (Nocedal 1980), which the paper
used, keeps the last ten moves and how the gradient changed over each. From them it estimates the inverse
curvature $H$, and searches along

$$
d = -H g
$$

for a lower loss. Where some directions are far steeper than others, that takes far fewer steps, and it is the
default: on five pairs of the samples, in the same 90 steps, the sketch of VGG19 came to a texture error of
0.24 with it and 0.35 with Adam, that of ResNet50 to 0.33 and 0.37. It holds some forty pictures' worth of
numbers, so that very large pictures are left to Adam where memory is short. *Finish on pixels with L-BFGS*
lets any optimiser and canvas make the large forms at the small sizes, and L-BFGS the last size on pixels.
""",
    ),
    (
        "Style statistics",
        r"""
The Gram matrix is one summary of a layer's feature maps among others. *Mean and deviation* compares each
channel alone (Li and others 2017), with $\mu$ and $\sigma$ over the positions, and leaves out which channels
go together:

$$
\sum_i \left(\mu_i - \mu^a_i\right)^2 + \left(\sigma_i - \sigma^a_i\right)^2
$$

*Whole distribution* takes the positions for draws from a Gaussian with mean $\mu$ and covariance $C$, and
asks how far one must be moved to become the other, the squared Wasserstein distance (Dowson and Landau
1982):

$$
\lVert \mu - \mu^a \rVert^2
+ \operatorname{tr}\left(C + C_a - 2 \left(C_a^{1/2}\, C\, C_a^{1/2}\right)^{1/2}\right)
$$

It weighs weak and strong channels more evenly than the Gram matrix does. Its matrix roots make each step
longer.
""",
    ),
    (
        "Smooth activations",
        r"""
A residual network adds each block's output to its input. A few activations grow far above the others on the
way, the Gram matrix squares them, and the style loss sees little else. Wang, Li and Vasconcelos (2021)
smooth the activations of each layer before any loss, at a temperature $T$ of 1:

$$
\tilde F_{ik} = \frac{e^{F_{ik} / T}}{\sum_{j,m} e^{F_{jm} / T}}
$$

Here the shares are also multiplied by their number, so that their mean is 1. Relative losses then count from
maps that are 1 everywhere, which say as little as maps of 0 do without smoothing.
""",
    ),
    (
        "Stroke size",
        r"""
A layer sees strokes of one size in pixels, so the size at which the style picture is shown decides how large
its strokes are in the result (Gatys and others 2017). The setting scales the style picture's longest side,
$n_a$, against the picture's own, $n$:

$$
n_a = r\, n
$$

With $r = 0.5$ strokes are half as large as in the style picture, with $r = 2$ twice.
""",
    ),
    (
        "Jitter and running average",
        r"""
Strides and poolings look at the picture on a grid, and the loss may fall by a pattern that follows it.
Jitter shifts the picture by up to so many pixels between Adam's steps (Mordvintsev and others 2015), with
targets that are shifted alike, so no place on the grid is special.

The steps leave some noise in the picture. A running average with decay $\lambda$ evens it out (Polyak and
Juditsky 1992), and is taken as the result only where its total loss is lower than the best single picture's:

$$
\bar x \leftarrow \lambda\, \bar x + (1 - \lambda)\, x
$$
""",
    ),
    (
        "Kinds of smoothing",
        r"""
With $d$ and $e$ the differences of a value to its right and its lower neighbour, the term with the weight
$\gamma$ is the mean of one of these:

$$
d^2 + e^2 \qquad |d| + |e| \qquad \left(d^2 + e^2\right)^{1.25}
$$

Beside squares, absolute values (Rudin and others 1992) count faint grain more and strong edges less, so areas
become flat and edges stay; the power (Mahendran and Vedaldi 2015) counts strong edges still more.
""",
    ),
    (
        "Layers of several networks",
        r"""
The style may be looked at through one network and the content through another. Each loss is computed in its
own network, and both gradients arrive at the same picture:

$$
L = \alpha\, L^\text{ResNet50}_\text{content} + \beta\, L^\text{VGG19}_\text{style}
+ \gamma\, L_\text{variation}
$$

So a mix tells whether a network falls short in what it keeps or in what it paints.
""",
    ),
)
