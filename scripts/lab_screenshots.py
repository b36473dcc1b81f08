"""Draw the panels of the lab, light, dark and narrow, into docs/lab, from a lab that this script starts."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.browser import CHROMIUM, SWITCHES

TARGET = Path(__file__).parents[1] / "docs" / "lab"
LOOKS = (("light", 1280, 800), ("dark", 1280, 800), ("narrow", 390, 844))
STROKE = ((0.7, 0.2), (0.72, 0.85), (0.28, 0.85), (0.3, 0.2), (0.15, 0.5), (0.3, 0.25), (0.7, 0.25), (0.85, 0.5))


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        command = [sys.executable, "-m", "glassnet", "lab", "--port", "0", "--no-browser", "--runs", f"{folder}/runs"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as lab:
            try:
                found = re.search(r"http://\S+", lab.stdout.readline() if lab.stdout else "")
                assert found, "the lab did not start"
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
                for look, width, height in LOOKS:
                    scheme: Any = "dark" if look == "dark" else "light"
                    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                    walk(context.new_page(), found[0], look)
                    context.close()
                browser.close()
            finally:
                lab.terminate()


def walk(page: Any, url: str, look: str) -> None:
    """Go from the first visit to an answer, and draw every panel on the way."""
    page.goto(url)
    page.wait_for_selector(".classes button:nth-child(3) .class-count:not(:empty)")
    page.click(".tour .quiet")
    save(page, f"1-data-{look}")
    page.click("#step-network")
    page.wait_for_selector(".code:not(:empty)")
    save(page, f"2-network-{look}")
    page.click("#step-training")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_selector("text=/of the test images are right/", timeout=60_000)
    save(page, f"3-training-{look}")
    page.click("#step-results")
    page.wait_for_selector(".confusion button")
    save(page, f"4-results-{look}")
    page.click("#step-tryit")
    page.wait_for_selector(".board canvas")
    box = page.locator(".board canvas").bounding_box()
    side = box["width"]
    page.mouse.move(box["x"] + 0.3 * side, box["y"] + 0.2 * side)
    page.mouse.down()
    for x, y in STROKE:
        page.mouse.move(box["x"] + x * side, box["y"] + y * side, steps=6)
    page.mouse.up()
    page.wait_for_timeout(3000)
    save(page, f"5-tryit-{look}")
    page.goto(f"{url}?recipe=digits-32&epochs=1&panel=training")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_selector("text=/of the test images are right/", timeout=60_000)
    page.goto(f"{url}?recipe=digits-32&epochs=3&panel=training")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_selector("text=/of the test images are right/", timeout=60_000)
    page.click("#step-experiments")
    page.wait_for_selector(".pair-sides img", timeout=60_000)
    save(page, f"6-experiments-{look}")
    page.click("#step-share")
    page.wait_for_selector(".share .code:not(:empty)")
    save(page, f"7-share-{look}")


def save(page: Any, name: str) -> None:
    """Write what is seen, once it rests."""
    page.mouse.move(5, 790)
    page.wait_for_timeout(800)
    page.screenshot(path=TARGET / f"{name}.png")


if __name__ == "__main__":
    main()
