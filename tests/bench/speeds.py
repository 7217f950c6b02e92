"""The reference speeds of nst_core.speed_guess from measurements: python -m tests.bench.speeds ONE.json ...

The files are those of `nst bench --json` at three or more sizes, so that overhead and pace can be told
apart. Of several measurements of a row the fastest counts: only other work slows a machine.
"""

import argparse
import json
import statistics
from pathlib import Path

from nst_core.backbones import find_backbone
from nst_core.estimate import matrix_rate
from nst_core.speed_file import Timings
from nst_core.speed_guess import guess_of, kind_of
from nst_core.speeds import fit_speed
from nst_core.weights import expected_width


def main() -> None:
    """Print the table's rows, and how far each measurement lies from its fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    rows = [row for path in parser.parse_args().files for row in json.loads(path.read_text())["rows"]]
    print(f"REFERENCE_RATE = {max(matrix_rate() for _ in range(5)):.0f}")
    kinds: dict[str, dict[float, float]] = {}
    starts: dict[str, list[float]] = {}
    for row in rows:
        backbone = find_backbone(row["backbone"])
        kind = kind_of(backbone.name, expected_width(backbone, row["weights"]), row["precision"])
        seconds = row["seconds_per_step"]
        work = round(row["gflops"] * seconds, 6)
        points = kinds.setdefault(kind, {})
        points[work] = min(seconds, points.get(work, seconds))
        starts.setdefault(kind, []).append(row["seconds_to_first_step"] - seconds)
    for kind, points in kinds.items():
        speed = fit_speed(Timings(tuple(points.items())), guess_of(kind))
        errors = [speed.seconds(work) / seconds - 1 for work, seconds in sorted(points.items())]
        start = statistics.median(starts[kind])
        print(f'"{kind}": Speed({speed.overhead:.4f}, {speed.pace:.5f}, {start:.1f}),', end="  # ")
        print(" ".join(f"{error:+.0%}" for error in errors))


if __name__ == "__main__":
    main()
