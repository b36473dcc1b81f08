"""glassnet replay."""

from pathlib import Path
from typing import Annotated, Any

import typer

from glassnet.cli.data import SplitOption
from glassnet.cli.output import Json, percent, print_json, say, start_keras, table
from glassnet.cli.training import RunFolder
from glassnet.errors import OutputError, UnknownNameError

WHAT = ("templates", "confusion", "image")
MOVING, STILL = (".gif", ".png", ".webp"), (".svg", ".pdf")


def replay(
    run: RunFolder,
    *,
    what: Annotated[str, typer.Option(help="What to draw: templates, confusion or image.")] = "templates",
    index: Annotated[int, typer.Option(help="Number of the image whose answers are told.")] = 0,
    split: SplitOption = "test",
    out: Annotated[
        Path | None,
        typer.Option(help="Animate to this file (GIF, PNG or WebP), or draw a strip (SVG or PDF).", show_default=False),
    ] = None,
    milliseconds: Annotated[int, typer.Option(help="How long the animation shows a moment.")] = 150,
    json: Json = False,
) -> None:
    """Watch a training again, moment by moment; it must have been trained with --snapshots."""
    from glassnet.runs import read_passport

    if what not in WHAT:
        raise UnknownNameError("replay", what, WHAT)
    if out and out.suffix.lower() not in MOVING + STILL:
        raise OutputError(f"cannot draw {out}: its name must end in {', '.join(MOVING + STILL)}")
    read_passport(run)
    start_keras()
    from glassnet.replay import open_replay
    from glassnet.runs import open_run

    again = open_replay(open_run(run))
    data = again.run.dataset()
    image, truth = data.split(split).at(index)
    counts = again.confusion(data, split=split)
    accuracy = again.accuracy(data, split=split).tolist()
    shares = again.probabilities(image)[:, 0]
    rows: list[dict[str, Any]] = [
        moment.record()
        | {"accuracy": right, "label": data.classes[share.argmax()], "probability": float(share.max())}
        | {"true_probability": float(share[truth])}
        for moment, right, share in zip(again.moments, accuracy, shares, strict=True)
    ]
    drawn = None
    if out and out.suffix.lower() in MOVING:
        from glassnet.figures.replay import animate

        drawn = animate(again, out, what=what, index=index, data=data, split=split, milliseconds=milliseconds)
    elif out:
        from glassnet import figures
        from glassnet.figures.replay import draw_replay

        figures.save(draw_replay(again, what=what, index=index, data=data, split=split), out)
    facts = {"run": str(run), "split": split, "n": int(counts[0].sum()), "index": index}
    if json:
        truly = {"true_label": data.classes[truth], "moments": rows, "out": str(out) if out else None}
        return print_json(facts | truly | {"animation": drawn.record() if drawn else None})
    result = table("moment", "batches", "accuracy", f"{split} image {index}", "", right=("batches", "accuracy"))
    for row in rows:
        right = "right" if row["label"] == data.classes[truth] else "wrong"
        answer = f"{row['label']} {percent(row['probability'])}"
        result.add_row(row["name"], f"{row['batches']:,}", percent(row["accuracy"]), answer, right)
    say(result)
    say(f"accuracy on {facts['n']:,} {split} images; image {index} is truly: {data.classes[truth]}")
    if drawn:
        size = f"{drawn.frames} moments, {drawn.width} × {drawn.height} pixels, {drawn.bytes / 1000:,.0f} kB"
        say(f"drawn: {out} ({size})")
    elif out:
        say(f"drawn: {out}")
    return None
