"""Inside an answer in the lab: the arithmetic of what is clicked, and weights that are switched off."""

import hashlib
import re
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import glassnet
from glassnet.lab import answers
from glassnet.lab.answers import Off
from glassnet.runs import Run
from glassnet.training.inference import predict
from tests.test_lab_page import Served, lab, open_page, step  # noqa: F401  (fixtures)


@pytest.fixture(scope="module")
def plain(lab: Served) -> Run:
    """A network without a hidden layer."""
    return glassnet.train("baseline", epochs=1, out=lab.runs / "baseline")


def numbers(text: str) -> list[Decimal]:
    return [Decimal(one.replace("−", "-")) for one in re.findall(r"[−+]?\d+\.\d+", text)]


def ask_random(page: Any) -> None:
    page.get_by_role("button", name="Random test image").click()
    page.locator(".said-class small").wait_for()


def test_a_clicked_class_shows_its_arithmetic(open_page: Any) -> None:
    page = open_page("?run=digits-32&panel=tryit")
    ask_random(page)
    page.get_by_role("button", name="3", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="How 3 is computed").wait_for()
    products = [numbers(one)[-1] for one in page.locator(".neuron td.for, .neuron td.against").all_inner_texts()]
    assert len(products) == 8
    rest, bias, total = (numbers(page.locator(".sum li").nth(row).inner_text())[-1] for row in range(3))
    assert sum(products) + rest + bias == total
    shown = numbers(page.locator(".probabilities .picked dd").inner_text())[0]
    share = numbers(page.locator(".sum b").last.inner_text())[0]
    assert abs(shown - 100 * share) <= Decimal("0.1")
    page.locator(".neuron th button").first.click()
    page.get_by_role("heading", name=re.compile("How unit .* is computed")).wait_for()
    page.get_by_role("button", name="Why", exact=True).click()
    page.get_by_role("heading", name="Why 3?").wait_for()


def test_units_are_switched_off_for_this_tab_only(open_page: Any, lab: Served) -> None:
    model = lab.runs / "digits-32" / "model.keras"
    before = hashlib.sha256(model.read_bytes()).hexdigest()
    page, other = open_page("?run=digits-32&panel=tryit"), open_page("?run=digits-32&panel=tryit")
    ask_random(page)
    said = page.locator(".probabilities").inner_text()
    page.get_by_role("button", name="Switch weights off").click()
    switches = page.get_by_role("switch")
    switches.first.wait_for()
    assert switches.count() == 12
    effect = page.locator(".switches [role=status]")
    page.get_by_text("nothing is switched off").wait_for()
    whole = float(numbers(effect.inner_text().replace(",", ""))[0])
    for place in range(6):
        switches.nth(place).click()
        page.wait_for_function("(n) => document.querySelectorAll('[aria-checked=false]').length === n", arg=place + 1)
    page.get_by_text(re.compile(r"right: [−+]\d")).wait_for()
    assert float(numbers(effect.inner_text())[0]) < whole - 2
    assert page.locator(".probabilities").inner_text() != said
    other.get_by_role("button", name="Switch weights off").click()
    other.get_by_text(f"{whole:.1f}% of 10,000 test images are right; nothing").wait_for()
    page.get_by_role("button", name="Reset", exact=True).click()
    page.get_by_text(f"{whole:.1f}% of 10,000 test images are right; nothing").wait_for()
    page.wait_for_function("(said) => document.querySelector('.probabilities').innerText === said", arg=said)
    assert hashlib.sha256(model.read_bytes()).hexdigest() == before


def test_a_template_is_erased_in_parts(open_page: Any, plain: Run) -> None:
    page = open_page("?run=baseline&panel=tryit")
    page.get_by_role("button", name="Switch weights off").click()
    page.get_by_text("nothing is switched off").wait_for()
    page.get_by_role("button", name="Sneaker", exact=True).click()
    page.get_by_text("The weights of Sneaker").wait_for()
    parts = page.get_by_role("group", name="Parts of the template").get_by_role("button")
    assert parts.count() == 49
    parts.nth(24).click()
    page.get_by_role("button", name=re.compile("rows 12–15, columns 12–15: erased")).wait_for()
    page.get_by_text(re.compile("of 10,000 test images are right: ")).wait_for()


def test_what_is_switched_off_is_what_the_network_would_say(plain: Run) -> None:
    assert plain.path
    images = plain.dataset().test.images
    answer = answers.ask_image(plain.path, "test", 3)
    weights, bias = (np.array(one) for one in plain.model.get_weights())
    part = weights.reshape(28, 28, 10)
    part[4:8, 8:12, 7] = 0
    off = Off(tiles=frozenset({(7, 1 * 7 + 2)}))
    logits = images.reshape(-1, 784) / 255 @ part.reshape(784, 10) + bias
    right = int((logits.argmax(-1) == plain.dataset().test.labels).sum())
    effect = answers.measure_off(plain.path, "tab", off)
    assert abs(effect.after - right) <= 2
    powers = np.exp(logits[3] - logits[3].max())
    said = answers.ask_again(plain.path, "tab", off, answer).probabilities
    np.testing.assert_allclose(said, powers / powers.sum(), atol=1e-5)
    assert (predict(plain.model, images[:9]) == predict(glassnet.open_run(plain.path).model, images[:9])).all()
    answers.forget("tab")
    assert answers.ask_again(plain.path, "tab", Off(), answer).probabilities == answer.probabilities
