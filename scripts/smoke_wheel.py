"""Build the wheel, install it alone in a new environment, and do the main job from a folder elsewhere.

This finds what an editable install hides: an undeclared dependency, a file that is not packed, a wheel too large.
"""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST_BYTES = 38_000_000


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT))
        wheel = next(folder.glob("*.whl"))
        size = wheel.stat().st_size
        assert size <= MOST_BYTES, f"{wheel.name} has {size:,} bytes, more than {MOST_BYTES:,}"

        run(sys.executable, "-m", "venv", str(folder / "venv"))
        python = folder / "venv/bin/python"
        run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel))
        glassnet = str(folder / "venv/bin/glassnet")
        env = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
        passport = json.loads(run(glassnet, "train", "baseline", "--epochs", "1", "--json", cwd=folder, env=env))
        assert passport["test_accuracy"] > 0.78, passport["test_accuracy"]
        (answer,) = json.loads(run(glassnet, "predict", "runs/baseline", "--index", "0", "--json", cwd=folder, env=env))
        assert answer["true_label"] == "Ankle boot", answer
        run(glassnet, "report", "runs/baseline", "--out", "report.html", cwd=folder, env=env)
        assert "</html>" in (folder / "report.html").read_text("utf-8")
        look_at_the_lab(glassnet, folder, env)
        print(f"{wheel.name}: {size:,} bytes, trains, predicts, reports, opens the lab")


def look_at_the_lab(glassnet: str, folder: Path, env: dict[str, str]) -> None:
    """Open the lab's page and everything that it links to from the package."""
    command = [glassnet, "lab", "--port", "0", "--no-browser", "--json"]
    with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, text=True) as lab:
        try:
            told = "".join(itertools.takewhile(lambda line: line != "}\n", lab.stdout or ())) + "}"
            url = json.loads(told)["url"]
            page = get(url)
            assert "glassnet" in page, page[:200]
            links = set(re.findall(r'(?:href|src)="(/[^"]+)"', page))
            assert links, "the page has no style and no script"
            for link in links:
                get(urllib.parse.urljoin(url, link.replace("&amp;", "&")))
        finally:
            lab.send_signal(signal.SIGINT)
    assert lab.returncode == 0, lab.returncode


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode("utf-8", "replace")


def run(*command: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    return subprocess.run(command, check=True, cwd=cwd, env=env, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
