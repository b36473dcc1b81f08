"""Build the wheel, install it alone in a new environment, and do the main job from a folder elsewhere.

This finds what an editable install hides: an undeclared dependency, a file that is not packed, a wheel too large.
"""

import json
import os
import subprocess
import sys
import tempfile
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
        print(f"{wheel.name}: {size:,} bytes, trains and predicts")


def run(*command: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    return subprocess.run(command, check=True, cwd=cwd, env=env, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
