"""glassnet explain, glassnet neuron."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassnet.cli.data import SplitOption
from glassnet.cli.output import Json, print_json, refuse, say, start_keras
from glassnet.cli.training import RunFolder
from glassnet.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from glassnet.explanation.arithmetic import Arithmetic, Term
    from glassnet.explanation.rounding import Softmax
    from glassnet.runs import Run


def explain(
    run: RunFolder,
    *,
    index: Annotated[int | None, typer.Option(help="Number of an image of the data set.", show_default=False)] = None,
    split: SplitOption = "test",
    photo: Annotated[Path | None, typer.Option(help="A picture file instead.", show_default=False)] = None,
    neuron: Annotated[
        str | None, typer.Option(help="A class, or the number of a unit or filter; default: the answer.")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="A Dense or Conv2D layer; default: the last.")] = None,
    at: Annotated[
        str | None, typer.Option(metavar="ROW,COLUMN", help="Place in a filter's map; default: where it gives most.")
    ] = None,
    digits: Annotated[
        int | None,
        typer.Option(help="Decimals, 1 to 7, default 4; more are shown where the sum needs them.", show_default=False),
    ] = None,
    top: Annotated[
        int | None, typer.Option(help="How many inputs for and against are shown; default 10, with --all 5.")
    ] = None,
    why: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METHOD", help="What in the image speaks for it: a method, flip, or all; repeat for more."
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Layer by layer, from the answer back to the pixels.")] = False,
    out: Annotated[Path | None, typer.Option(help="Draw to this file (PNG, SVG or PDF).", show_default=False)] = None,
    json: Json = False,
) -> None:
    """Write out one neuron's arithmetic: inputs × weights + bias, to the printed probability, to the last digit."""
    from glassnet.runs import read_passport

    if (index is None) == (photo is None):
        count = "nothing" if index is None else "two things"
        raise InputError(f"{count} to explain; pass --index 0 for a test image, or --photo FILE (one of them)")
    if why or every:
        refuse("is for one neuron; --why and --all start from a class: leave --layer and --at away", layer=layer, at=at)
    if why:
        refuse("is for the arithmetic; --why has none", all=every, digits=digits, top=top)
    place, digits = _read_place(at), 4 if digits is None else digits
    read_passport(run)
    start_keras()
    from glassnet.explanation.arithmetic import explain_neuron
    from glassnet.explanation.chains import explain_chain
    from glassnet.explanation.sums import find_class
    from glassnet.runs import open_run

    opened = open_run(run)
    source, image, label = _read_image(opened, index, split, photo)
    if why:
        from glassnet.cli.attributions import explain_why

        number = None if neuron is None else find_class(opened.passport.classes, neuron)
        return explain_why(opened, image, label, why, number, out, json)
    if every:
        steps = explain_chain(opened, image, neuron, digits=digits, top=5 if top is None else top)
    else:
        steps = (
            explain_neuron(opened, image, neuron, layer=layer, at=place, digits=digits, top=10 if top is None else top),
        )
    if out:
        from glassnet.figures import canvas
        from glassnet.figures.arithmetic import draw_arithmetic

        canvas.save(draw_arithmetic(steps[0], image), out)
    if json:
        facts = {"image": source, "true_label": label}
        return print_json(facts | ({"neurons": [one.record() for one in steps]} if every else steps[0].record()))
    truly = "" if label is None else f" (truly: {label})"
    _print([f"{source}{truly}"])
    for one in steps:
        _print(["", *lines(one)])
    if out:
        say(f"drawn: {out}")
    return None


def neuron(
    *,
    weight: Annotated[
        list[str] | None, typer.Option(metavar="NAME=NUMBER", help="How much an input counts; repeat for more.")
    ] = None,
    inputs: Annotated[
        list[str] | None, typer.Option("--input", metavar="NAME=NUMBER", help="What an input is; default 1.")
    ] = None,
    bias: Annotated[float | None, typer.Option(help="Added to the sum; default 0.", show_default=False)] = None,
    activation: Annotated[str, typer.Option(help="step answers yes or no, sigmoid between 0 and 1.")] = "step",
    json: Json = False,
) -> None:
    """Ask a neuron of your own, and see its arithmetic; without weights, whether to accept a job offer."""
    from glassnet.explanation.decision import JOB_OFFER, Neuron, decide

    own = _read_numbers("--weight", weight)
    chosen = Neuron(
        weights=own or JOB_OFFER.weights,
        bias=bias if bias is not None else 0.0 if own else JOB_OFFER.bias,
        activation=activation,
    )
    decision = decide(chosen, dict.fromkeys(chosen.weights, 1.0) | _read_numbers("--input", inputs))
    if json:
        return print_json(decision.record())
    if not own:
        _print(["accept the job offer? every input is 1 (true of it) or 0: --input overtime=0", ""])
    return _print(decision.lines())


def lines(arithmetic: "Arithmetic") -> list[str]:
    """Return one neuron's arithmetic as aligned lines, to be checked by hand."""
    from glassnet.explanation.rounding import written

    count, source = f"{len(arithmetic.inputs):,}", arithmetic.source
    inputs = f"{count} {source}" if source.startswith(("pixels", "inputs")) else f"{count} values from {source}"
    title = f"{arithmetic.neuron} in layer {arithmetic.layer}: {inputs}, times weights, plus bias"
    rows = [("", "pixel", "input", "", "weight", "", "product")]
    rows += _term_rows("pushes for it", arithmetic.largest_for)
    rows += _term_rows("pushes against it", arithmetic.largest_against)
    ends = [
        (f"the other {arithmetic.rest_count:,} products", written_signed(arithmetic.rest)),
        ("bias", written_signed(arithmetic.bias)),
        ("sum" if arithmetic.softmax is None else "sum (logit)", written_signed(arithmetic.total)),
    ]
    rows += [(name, *[""] * 5, value) for name, value in ends]
    if arithmetic.source != "pixels":
        rows = [(row[0], *row[2:]) for row in rows]
    table = _aligned(rows)
    result = [title, *table[:-1], "-" * len(table[-1]), table[-1]]
    if arithmetic.formula and arithmetic.activation != "linear":
        result.append(
            f"{arithmetic.activation}: {arithmetic.formula}, with z = {written(arithmetic.total)}: "
            f"{written(arithmetic.value)}"
        )
    if arithmetic.softmax:
        result += _softmax_lines(arithmetic, arithmetic.softmax)
    places = -int(arithmetic.value.as_tuple().exponent)
    what = "" if arithmetic.softmax is None or arithmetic.softmax.inside else " (logit)"
    return [*result, f"the network itself{what}, in 32 bits: {arithmetic.network_value:.{places}f}"]


def written_signed(number: Any) -> str:
    """Write a decimal with its sign, as one adds it up; 0 has none."""
    return format(number, "+f") if number else format(number, "f")


def _term_rows(title: str, terms: "Sequence[Term]") -> list[tuple[str, ...]]:
    from glassnet.explanation.rounding import written

    rows = [
        (
            f"  {one.name}",
            "" if one.pixel is None else str(one.pixel),
            written(one.x),
            "×",
            written(one.w),
            "=",
            written_signed(one.product),
        )
        for one in terms
    ]
    return [(title, *[""] * 6), *rows] if rows else []


def _softmax_lines(arithmetic: "Arithmetic", softmax: "Softmax") -> list[str]:
    from glassnet.explanation.decision import rounded
    from glassnet.explanation.rounding import written

    rows = [("class", "logit", "power", "probability")]
    rows += [(one.label, written(one.logit), written(one.power), written(one.probability)) for one in softmax.classes]
    total = sum(one.probability for one in softmax.classes)
    rows.append(("sum", "", written(softmax.powers), format(total, "f")))
    table = _aligned(rows)
    asked = softmax.classes[arithmetic.number]
    digits = -int(asked.probability.as_tuple().exponent)
    moved = [one.label for one in softmax.classes if rounded(one.power / softmax.powers, digits) != one.probability]
    return [
        "",
        f"softmax, {'the last step of the network' if softmax.inside else 'added to the logits for the prediction'}:",
        f"power = exp(logit - {written(softmax.largest)}), probability = power / sum of all powers",
        *table[:-1],
        "-" * len(table[-1]),
        table[-1],
        *([f"(the last digit of {', '.join(moved)} is such that all add up to 1)"] if moved else []),
        f"{asked.label}: {written(asked.power)} / {written(softmax.powers)} = {written(asked.probability)}",
    ]


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Align the first column to the left and the others, which are numbers, to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    result = []
    for name, *numbers in rows:
        cells = [f"{number:>{width}}" for number, width in zip(numbers, widths[1:], strict=True)]
        result.append("  ".join([f"{name:<{widths[0]}}", *cells]).rstrip())
    return result


def _print(rows: Sequence[str]) -> None:
    say("\n".join(rows))


def _read_image(run: "Run", index: int | None, split: str, photo: Path | None) -> "tuple[str, np.ndarray, str | None]":
    """Return what the image is called, the image, and the truth where it is known."""
    if photo is not None:
        from glassnet.photos import read_photo
        from glassnet.prediction import photo_facts

        return str(photo), read_photo(photo, run.passport.image_shape, photo_facts(run)), None
    image, label = run.dataset().split(split).at(index or 0)
    return f"{run.passport.dataset} {split} image {index}", image, run.passport.classes[label]


def _read_place(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        row, column = (int(one) for one in text.split(","))
    except ValueError:
        raise InputError(f"--at is {text!r}; it must be a row and a column, such as 5,12") from None
    return row, column


def _read_numbers(option: str, texts: Sequence[str] | None) -> dict[str, float]:
    numbers = {}
    for text in texts or ():
        name, _, number = text.rpartition("=")
        try:
            numbers[name.strip()] = float(number)
        except ValueError:
            name = ""
        if not name.strip():
            raise InputError(f"{option} is {text!r}; it must be a name and a number, such as salary=6")
    return numbers
