"""How many small scans of real hands does a run read? Measure it at several sizes; write scans.md.

The scans are the "optical recognition of handwritten digits" of E. Alpaydin and C. Kaynak (UCI Machine Learning
Repository, 1998), of which scikit-learn brings 1,797: 8 × 8 pixels, 17 grays, 13 hands.

python benchmarks/scans.py RUN …
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from sklearn.datasets import load_digits

import glassnet
from glassnet import Run
from glassnet.atomic import new_file
from glassnet.evaluation.intervals import wilson_interval
from glassnet.photos.steps import resize
from glassnet.prediction import Prediction, answer_photos, predict

TARGET = Path(__file__).with_suffix(".md")
SIDES = 8, 16, 24, 32, 64
LOOKED_AT = 900
"""So many of the scans were looked at while small pictures were worked on; the others were not."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="+", type=Path)
    images, labels = load_digits(return_X_y=True)
    scans = (255 - np.rint(images * (255 / 16))).astype(np.uint8).reshape(-1, 8, 8)
    lines = [
        "# Small scans of real hands",
        "",
        "`python benchmarks/scans.py RUN …` (`make bench-photos`): share of scikit-learn's 1,797 scanned digits (8 × 8",
        "pixels, dark on light) that a run reads, in percent: as they are, and enlarged (bicubic). The first 900 were",
        "looked at while small pictures were worked on, the other 897 were not. Beside it the scan that is only",
        "resized to the network's input and turned to light on dark.",
    ]
    for path in parser.parse_args().runs:
        run = glassnet.open_run(path)
        passport = run.passport
        title = f"`{passport.recipe}` on {passport.dataset}, {100 * passport.test_accuracy:.2f} % of the test images"
        lines += [
            "",
            f"## {title}",
            "",
            "| pixels a side | only resized | first 900 | other 897 | 95 % interval of these |",
            "| --: | --: | --: | --: | --: |",
            *(row(run, side, scans, labels) for side in SIDES),
        ]
    with new_file(TARGET) as beside:
        beside.write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))


def row(run: Run, side: int, scans: np.ndarray, labels: np.ndarray) -> str:
    """Return the table's row for scans of that size."""
    sized = [np.asarray(Picture.fromarray(one).resize((side, side), Picture.Resampling.BICUBIC)) for one in scans]

    def right(answers: Iterable[Prediction]) -> np.ndarray:
        return np.array([int(one.label) for one in answers]) == labels

    resized = right(
        predict(run, np.stack([resize(255 - one, run.passport.image_shape) for one in sized]), top=1)
    ).mean()
    read = right(answer for answer, _ in answer_photos(run, sized, top=1))
    first, other = read[:LOOKED_AT], read[LOOKED_AT:]
    low, high = wilson_interval(int(other.sum()), len(other))
    shares = f"{100 * resized:.1f} | {100 * first.mean():.1f} | {100 * other.mean():.1f}"
    return f"| {side} | {shares} | {100 * low:.1f} to {100 * high:.1f} |"


if __name__ == "__main__":
    main()
