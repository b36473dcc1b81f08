"""audit and glance: all checks of a data set, and those that are quick enough to come before every training."""

from typing import TYPE_CHECKING

from glassnet.audit.classes import check_classes, count_classes
from glassnet.audit.copies import check_copies, find_copies
from glassnet.audit.doubts import check_labels
from glassnet.audit.findings import Audit, Finding, ranked
from glassnet.audit.light import check_light
from glassnet.audit.lookalikes import check_near_copies
from glassnet.audit.origin import check_origin
from glassnet.audit.survey import survey
from glassnet.datasets import EMBEDDED, Dataset

if TYPE_CHECKING:
    from glassnet.runs import Run

KINDS = (
    "unreadable",
    "split",
    "one class",
    "missing class",
    "imbalance",
    "few images",
    "leak",
    "contradiction",
    "duplicates",
    "near leak",
    "near duplicates",
    "blank",
    "brightness",
    "range",
    "odd shape",
    "odd size",
)
"""What an audit looks for; with a run, also for doubtful labels."""

GLANCE_BYTES = 20_000_000
"""Pixels that a glance looks at: about a tenth of a second."""


def audit(data: Dataset, model_run: "Run | None" = None) -> Audit:
    """Look for everything that can be wrong with a data set.

    Args:
        data: the data set.
        model_run: a network trained on it, to look for wrong labels.

    Returns:
        The findings, the gravest first.

    Raises:
        InputError: the network is for other images or classes.

    Example:
        >>> import glassnet
        >>> from glassnet.audit import audit
        >>> [finding.title for finding in audit(glassnet.load("mnist")).findings]
        ['8 images are far darker or brighter than the others']
    """
    if model_run:  # first: the rest takes its time
        from glassnet.evaluation.scores import check_fit

        check_fit(model_run, data.image_shape, data.classes)
    looked = survey(data)
    first = find_copies(looked)
    findings = [
        *check_origin(data),
        *check_classes(data),
        *check_copies(looked, first),
        *check_near_copies(looked, first),
        *check_light(looked),
        *(check_labels(data, model_run) if model_run else ()),
    ]
    return Audit(
        dataset=data.name,
        images={split.name: len(split) for split in data.splits},
        classes=count_classes(data),
        findings=ranked(findings),
        checked=(*KINDS, "doubtful labels") if model_run else KINDS,
        run=str(model_run.path or "") if model_run else "",
    )


def glance(data: Dataset) -> tuple[Finding, ...]:
    """Look for what should be known before a training, in a fraction of a second; near copies take longer.

    Of a large set, a sample is looked at; notes are left to the audit. Nothing is said of the embedded sets, which
    everybody trains on as they are.

    Returns:
        The findings, the gravest first.
    """
    if is_embedded(data):
        return ()
    looked = survey(data, most_bytes=GLANCE_BYTES)
    findings = [
        *check_origin(data),
        *check_classes(data),
        *check_copies(looked, find_copies(looked)),
        *check_light(looked),
    ]
    return tuple(one for one in ranked(findings) if one.severity != "note")


def is_embedded(data: Dataset) -> bool:
    """Tell whether a data set is one of the package's, bit for bit."""
    embedded = EMBEDDED.get(data.name)
    return embedded is not None and data.known_sha256 == embedded.sha256
