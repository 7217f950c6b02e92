"""All training pictures in one array, and the classes: each a cell of a grid over one picture."""

import hashlib
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assets.sketch import drawings, scenes, textures
from assets.sketch.fields import PALETTES, Array, Generator
from assets.sketch.photographs import photograph_tiles
from assets.sketch.textures import SIZE
from nst_core.system import cores

PHOTOGRAPH_GRID = 4
FLATTEST = 10.0  # standard deviation, of 255: a flatter cell cannot be told from others

# Each family with its grid: 1 where a texture is the same everywhere, more where its parts differ.
FAMILIES: tuple[tuple[Callable[[Generator, Array], Array], int], ...] = (
    (textures.flow_strokes, 1),
    (textures.flow_strokes, 2),
    (textures.flow_lines, 1),
    (textures.pink_noise, 1),
    (textures.glass, 1),
    (textures.cells, 1),
    (textures.rings, 2),
    (textures.lattice, 1),
    (textures.checker, 1),
    (textures.stripes, 1),
    (textures.engraving, 2),
    (textures.contours, 2),
    (textures.marble, 1),
    (textures.halftone, 2),
    (textures.bricks, 1),
    (textures.scales, 1),
    (drawings.brush_marks, 1),
    (drawings.brush_marks, 2),
    (drawings.long_strokes, 2),
    (drawings.dots, 1),
    (drawings.dead_leaves, 2),
    (drawings.scribbles, 2),
    (drawings.facets, 2),
    (drawings.mosaic, 1),
    (drawings.spots, 1),
    (drawings.weave, 1),
    (drawings.glyphs, 1),
    (drawings.grass, 1),
    (drawings.clouds, 2),
    (scenes.landscape, 3),
    (scenes.town, 3),
    (scenes.waves, 3),
)


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """Pictures uint8 [P, S, S, 3]; cells float32 [K, 4]: picture, centre row, centre column, half-width."""

    pictures: npt.NDArray[np.uint8]
    cells: npt.NDArray[np.float32]


def texture(row: int, index: int, seed: int) -> npt.NDArray[np.uint8]:
    """The picture [S, S, 3] of one family (a row of FAMILIES), always the same for the same numbers."""
    family = FAMILIES[row][0]
    generator = np.random.default_rng([seed, row, index, zlib.crc32(family.__name__.encode())])
    palette = PALETTES[int(generator.integers(len(PALETTES)))]
    if generator.random() < 0.5:
        palette = palette[::-1]
    picture = family(generator, palette + generator.normal(0, 0.03, palette.shape))
    return np.asarray(np.rint(255 * np.clip(picture, 0, 1)), np.uint8)


def cells_of(picture: int, grid: int) -> npt.NDArray[np.float32]:
    """The classes of one picture: grid * grid rows of (picture, centre row, centre column, half-width)."""
    half = SIZE / (2 * grid)
    centres = half + 2 * half * np.arange(grid)
    return np.array([(picture, row, column, half) for row in centres for column in centres], np.float32)


def build_atlas(*, each: int, seed: int, photographs: bool = True, processes: int | None = None) -> Atlas:
    """`each` textures of every family after the photographs' tiles; without `processes`, one a core."""
    processes = processes or cores()
    work = [(row, index, seed) for row in range(len(FAMILIES)) for index in range(each)]
    if processes > 1:
        with get_context("spawn").Pool(processes) as pool:
            made = pool.starmap(texture, work, chunksize=4)
    else:
        made = [texture(*item) for item in work]
    tiles = list(photograph_tiles()) if photographs else []
    grids = [PHOTOGRAPH_GRID] * len(tiles) + [FAMILIES[row][1] for row, _, _ in work]
    cells = np.concatenate([cells_of(picture, grid) for picture, grid in enumerate(grids)])
    pictures = np.stack([*tiles, *made])
    return Atlas(pictures, cells[[_busy(pictures, cell) for cell in cells]])


def _busy(pictures: npt.NDArray[np.uint8], cell: npt.NDArray[np.float32]) -> bool:
    picture, row, column, half = (int(value) for value in cell)
    inside = pictures[picture, row - half : row + half, column - half : column + half]
    return bool(inside.std(axis=(0, 1)).max() > FLATTEST)


def default_cache() -> Path:
    """Where pictures and checkpoints wait between runs: the user's cache folder, outside the repository."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "nst" / "sketch"


def cached_atlas(folder: Path, *, each: int, seed: int, photographs: bool = True) -> Atlas:
    """The atlas from `folder`, built there first if it is absent."""
    path = folder / f"atlas-{seed}-{each}-{int(photographs)}-{_code_hash()}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        atlas = build_atlas(each=each, seed=seed, photographs=photographs)
        part = path.with_suffix(".part.npz")
        np.savez(part, pictures=atlas.pictures, cells=atlas.cells)
        part.replace(path)
    with np.load(path, allow_pickle=False) as stored:
        return Atlas(stored["pictures"], stored["cells"])


def _code_hash() -> str:
    # A changed generator must not meet pictures made by the old one.
    here = Path(__file__).parent
    names = ("atlas", "drawings", "fields", "photographs", "scenes", "textures")
    code = b"".join((here / f"{name}.py").read_bytes() for name in names)
    return hashlib.sha256(code).hexdigest()[:12]
