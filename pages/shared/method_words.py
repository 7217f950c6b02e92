"""The algorithm in words and formulas, as this program carries it out."""

from collections.abc import Sequence

import streamlit as st

from nst_core.choices import LEARNING_RATES, LOSS_WEIGHTS, VARIATION_OVER_ROOT
from nst_core.plan import LADDER_BOTTOM
from pages.shared.method_settings_words import OF_THE_SETTINGS

_, _STYLE = LOSS_WEIGHTS["relative"]
_VARIATION = VARIATION_OVER_ROOT["relative"]

# Title and text of each part. Words come before symbols, and departures from the papers are named.
OF_THE_PAPER = (
    (
        "Two targets",
        r"""
A network made to recognise objects turns a picture into *feature maps*: at each layer, some hundred channels
that answer to edges, then textures, then parts of things. Style transfer leaves the network as it is and
changes the picture instead (Gatys, Ecker and Bethge 2015).

First the network looks at both given pictures. What it answers to the content picture $p$ in one layer, and
how its channels go together for the style picture $a$ in several layers, are the targets. Below, $F^l$ holds
the feature maps of the picture being made, $x$, at layer $l$, and $P^l$ those of $p$; a layer has $N_l$
channels and $M_l$ positions.
""",
    ),
    (
        "Content loss",
        r"""
To keep what is where, each channel should answer at each position as it does for the content picture. The
loss is half the sum of the squared differences:

$$
L_\text{content} = \frac12 \sum_{i,k} \left(F^l_{ik} - P^l_{ik}\right)^2
$$

The deeper the layer, the less it cares for exact colours and edges, and the more freely the style may redraw
them.
""",
    ),
    (
        "Gram matrix and style loss",
        r"""
Style is taken to be which channels are active together, wherever in the picture that happens. The Gram matrix
averages the product of every two channels over all positions, and so forgets the positions:

$$
G^l_{ij} = \frac{1}{M_l} \sum_k F^l_{ik} F^l_{jk}
$$

The paper divides by $M_l$ only in the loss. Here each picture is averaged over its own positions, so a style
picture of another shape gives a target of the same scale; where the shapes agree, the two are equal.

The style loss compares this matrix with that of the style picture, $A^l$, in every style layer $l$ with its
weight $w_l$. Shallow layers carry colour and grain, deep ones larger forms.

$$
L_\text{style} = \sum_l w_l E_l
$$
$$
E_l = \frac{1}{4 N_l^2} \sum_{i,j} \left(G^l_{ij} - A^l_{ij}\right)^2
$$
""",
    ),
    (
        "Total loss",
        r"""
The two losses pull in different directions, and two weights say how hard. A third term, which the paper does
not have, smooths the picture: the mean of the squared differences between neighbouring pixels.

$$
L = \alpha\, L_\text{content} + \beta\, L_\text{style} + \gamma\, L_\text{variation}
$$

The gradient of $L$ goes back through the network to the picture, and the optimiser, L-BFGS or Adam, changes
the picture a little at each step. The result is the picture with the least total loss at the last size, not
merely the last one.
""",
    ),
)
OF_THIS_PROGRAM = (
    (
        "Relative loss scale",
        rf"""
Raw losses of different networks cannot be compared: channels, positions and the size of activations differ
by powers of ten. With the relative scale, the default here, the content loss and each layer's style loss are
divided by their own size at the target:

$$
L_\text{{content}} = \frac{{\sum (F^l - P^l)^2}}{{\sum (P^l)^2}}
$$
$$
E_l = \frac{{\sum (G^l - A^l)^2}}{{\sum (A^l)^2}}
$$

A loss of 0 means that the target is met, 1 that the picture is as far from it as one without any features.
So weights of one size serve all three networks: $\beta = {_STYLE:g}$, $\gamma = {_VARIATION:g} \sqrt\alpha$,
and an $\alpha$ that the style strength sets, for each network its own.
The setting *As in the paper* restores the paper's formulas.
""",
    ),
    (
        "Ladder of sizes",
        rf"""
A layer sees only so many pixels around a position; in a large picture that is a small part. So a run starts
small, with a longest side of {LADDER_BOTTOM} to {2 * LADDER_BOTTOM - 1} pixels, where a texture of the style
can span whole buildings, and doubles it until the size asked for is reached. Content and style picture are
resized with it, and the targets are taken anew.

Each size gets an equal share of the steps and starts from the best picture of the one before. Large forms
come from the small sizes, where steps are cheap; the last ones add fine strokes.
""",
    ),
    (
        "Fourier canvas",
        rf"""
What the optimiser changes need not be pixels. By default it is the strength $z$ of each spatial frequency
$f$, scaled by about one over the frequency, as natural pictures are. The inverse Fourier transform
$\mathcal F^{{-1}}$, a matrix $C$ of colour axes that vary independently and a sigmoid turn it into a picture
(after Mordvintsev and others, *Differentiable Image Parameterizations*, 2018):

$$
x = \operatorname{{sigmoid}}\left(C \, \mathcal F^{{-1}}\left[\frac{{z}}{{|f|}}\right]\right)
$$

One step then moves large and small forms alike, which leaves less grain. Painting on pixels is the other
choice: it holds any picture exactly and finer detail, with a learning rate of its own
({LEARNING_RATES["pixel"]:g} instead of {LEARNING_RATES["fourier"]:g}).
""",
    ),
)


def show_algorithm() -> None:
    """The paper's algorithm beside what this program adds to it, and below them what the settings change."""
    columns = st.columns(2, gap="large")
    for column, heading, parts in zip(
        columns,
        ("Style transfer by optimisation", "What this program adds"),
        (OF_THE_PAPER, OF_THIS_PROGRAM),
        strict=True,
    ):
        with column:
            st.subheader(heading)
            _show(parts)
    st.subheader("What the settings change")
    half = len(OF_THE_SETTINGS) // 2
    for column, parts in zip(
        st.columns(2, gap="large"), (OF_THE_SETTINGS[:half], OF_THE_SETTINGS[half:]), strict=True
    ):
        with column:
            _show(parts)


def _show(parts: Sequence[tuple[str, str]]) -> None:
    for title, text in parts:
        st.markdown(f"#### {title}\n{text}")
