"""Light: blank images, unusually dark or bright ones, and splits whose pixels have different ranges."""

from collections.abc import Iterator

import numpy as np

from glassnet.audit.findings import Finding, counted
from glassnet.audit.survey import Survey

BLANK = 2.0
"""Standard deviation of its pixels (of 255), in every channel, below which an image counts as blank."""

SHOWN = 12

APART = 0.5
"""By how many standard deviations the mean brightness of two splits may differ."""


def check_light(survey: Survey) -> Iterator[Finding]:
    """Look for blank images, outliers of brightness, and ranges that differ between splits."""
    if not len(survey):
        return
    yield from _blank(survey)
    yield from _outliers(survey)
    yield from _ranges(survey)


def _blank(survey: Survey) -> Iterator[Finding]:
    blank = np.flatnonzero(survey.measures.spread < BLANK)
    if len(blank):
        of = "" if survey.complete else f" of {len(survey):,} looked at"
        yield Finding(
            "blank",
            "warning",
            f"{counted(len(blank), 'image')}{of} {'is' if len(blank) == 1 else 'are'} blank or nearly so",
            "There is nothing on them to learn from; their label teaches something false.",
            "take them out; if there are many, look for what went wrong when they were made",
            {"images": len(blank)},
            len(blank) / len(survey),
            tuple(
                survey.example(int(number), note=f"brightness {survey.measures.mean[number]:.0f}")
                for number in blank[:SHOWN]
            ),
        )


def _outliers(survey: Survey) -> Iterator[Finding]:
    """Find images beyond the outer fences of brightness, three interquartile ranges outside of the quartiles.

    References:
        J. W. Tukey, "Exploratory Data Analysis", 1977, chapter 2: values beyond the outer fences are "far out".
    """
    mean, spread = survey.measures.mean, survey.measures.spread
    low, high = np.quantile(mean, (0.25, 0.75))
    fence = 3 * max(float(high - low), 1.0)
    distance = np.maximum(low - mean, mean - high) / fence
    far = np.flatnonzero((distance > 1) & (spread >= BLANK))
    if not len(far):
        return
    far = far[np.argsort(-distance[far], kind="stable")]
    of = "" if survey.complete else f" of {len(survey):,} looked at"
    yield Finding(
        "brightness",
        "note",
        f"{counted(len(far), 'image')}{of} {'is' if len(far) == 1 else 'are'} far darker or brighter than the others",
        f"Half of the images have a mean brightness of {low:.0f} to {high:.0f} (of 255); these lie outside of "
        f"{max(0.0, low - fence):.0f} to {min(255.0, high + fence):.0f}. They may be of another kind, or inverted.",
        "look at them; take out what does not belong, or train with changes of brightness",
        {"images": len(far), "lower_quartile": round(float(low), 2), "upper_quartile": round(float(high), 2)},
        len(far) / len(survey),
        tuple(survey.example(int(number), note=f"brightness {mean[number]:.0f}") for number in far[:SHOWN]),
    )


def _ranges(survey: Survey) -> Iterator[Finding]:
    measures, splits = survey.measures, survey.data.splits
    whole = {splits[k].name: survey.split_of == k for k in range(len(splits)) if len(survey.rows[k])}
    tops = {name: int(measures.high[rows].max()) for name, rows in whole.items()}
    faint = {name: top for name, top in tops.items() if top <= 1}
    if faint and max(measures.high) <= 1:
        yield Finding(
            "range",
            "serious",
            f"no pixel is brighter than {max(tops.values())} of 255",
            "The images were divided by 255 and then rounded, or hold masks: as brightness they are all but black.",
            "give pixels from 0 to 255, before any division",
            {f"brightest_{name}": top for name, top in tops.items()},
            1.0,
        )
        return
    if faint:
        yield Finding(
            "range",
            "serious",
            f"the {' and '.join(faint)} images have pixels from 0 to 1, the others up to {max(tops.values())}",
            "The network learns at one scale and is asked at another: its answers will be all but chance.",
            "prepare all splits alike, with pixels from 0 to 255",
            {f"brightest_{name}": top for name, top in tops.items()},
            1.0,
        )
        return
    train = whole.get("train")
    if train is None:
        return
    middle, width = float(measures.mean[train].mean()), max(float(measures.mean[train].std()), 1.0)
    for name, rows in whole.items():
        other = float(measures.mean[rows].mean())
        # The difference must be large, and larger than chance would make it with so few images.
        apart = abs(other - middle)
        if name != "train" and apart > APART * width and apart > 4 * width / np.sqrt(rows.sum()):
            yield Finding(
                "range",
                "warning",
                f"the {name} images are {'brighter' if other > middle else 'darker'} than the training images: mean "
                f"brightness {other:.0f} against {middle:.0f}",
                "They were made or prepared differently; the score tells how well the network copes with that, too.",
                "prepare all splits alike; if the difference is real, train with changes of brightness",
                {"train": round(middle, 2), name: round(other, 2)},
                min(1.0, apart / 255),
            )
