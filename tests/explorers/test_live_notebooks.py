"""Explorers as live widgets: in a JupyterLab and a Notebook 7 started here, driven by a browser."""

import json
import re

import front_ends
import pytest

CELLS = [
    "from ipywidgets.widgets.widget import _instances\n"
    "from explorer_stand_ins import CountedExplorer\n"
    "import oneprompt as op\n"
    "model, tokenizer = op.load_model(), op.load_tokenizer()",
    "explorer = CountedExplorer(model, tokenizer)\nexplorer",
    "print(f'T = {explorer.temperature}, {explorer.prompt!r}, history', explorer.data['history'])",
    "explorer.temperature = 0.5",
    "print(f'{len(_instances)} live widgets')",
    "from IPython.display import display\n"
    "from oneprompt.notebook import Answer, Predict, drawing\n"
    "display(Answer('attention.by_hand'), drawing.cells([1, 2], alt='two cells'))\n"
    "Predict('live', 'What is 2 + 2?', ['3', '4'], answer='4', reason='Count.')",
]
PROMPT = "What is a token?"


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    """The address of a Jupyter server that serves both front ends, with a notebook of CELLS."""
    tmp_path = tmp_path_factory.mktemp("jupyter")
    cell = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    cells = [cell | {"id": f"cell-{i}", "source": source} for i, source in enumerate(CELLS)]
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in front_ends.PATHS:
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook))
    with front_ends.served(folder, tmp_path) as address:
        yield address


@pytest.fixture(params=front_ends.PATHS)
def notebook(request, browser, jupyter):
    """A page that shows the notebook in one of the front ends, its kernel ready."""
    context = browser.new_context(viewport={"width": 1280, "height": 1600})
    page = context.new_page()
    page.set_default_timeout(180_000)  # on a busy machine a kernel takes long to import torch
    page.goto(f"{jupyter}{front_ends.PATHS[request.param]}")
    page.locator(".jp-Notebook .jp-CodeCell").nth(len(CELLS) - 1).wait_for()
    yield page
    context.close()


def accept_dialogs(page) -> None:
    """Press the default button: on a busy machine the front end may ask which kernel to use."""
    for dialog in page.locator(".jp-Dialog").all():
        print(f"Jupyter asked: {dialog.inner_text()!r}")
        dialog.locator(".jp-mod-accept").last.click()


def run(page, index: int) -> None:
    """Run one cell with the keyboard and wait until it has run."""
    from playwright import sync_api  # only where a test needs it: it is slow

    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(index)
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.inner_text()
    for _ in range(60):  # keys pressed while the front end is still loading are lost
        accept_dialogs(page)
        try:
            cell.locator(".cm-content").click(timeout=10_000)
        except sync_api.TimeoutError:  # a dialog has come in between
            continue
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(200)
        if prompt.inner_text() != before:
            break
    cell.get_by_text(re.compile(r"^\[\d+\]:$")).first.wait_for()


def printed(page, index: int) -> str:
    run(page, index)
    return (
        page.locator(".jp-Notebook .jp-CodeCell").nth(index).locator(".jp-OutputArea").inner_text()
    )


def assert_prints_soon(page, index: int, text: str) -> None:
    """A moved slider reaches Python in several messages, and the last of them may come late."""
    for _ in range(20):
        found = printed(page, index)
        if text in found:
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"{text!r} was not printed, but {found!r}")


def live(page) -> dict:
    """How many explorers are alive, in the kernel and on the page."""
    return {
        "widgets": printed(page, 4),
        "DOM roots": page.locator(".op-explorer").count(),
        "views": page.evaluate("window.explorerViews"),
        "listeners": page.evaluate("window.explorerListeners"),
    }


def test_traits_are_synced_both_ways_and_nothing_leaks(notebook):
    page = notebook
    run(page, 0)
    run(page, 1)
    temperature = page.get_by_role("slider", name="Temperature")
    temperature.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    assert temperature.get_attribute("aria-valuetext") == "0.80"
    assert_prints_soon(page, 2, "T = 0.8, 'What is machine learning?'")

    run(page, 3)  # Python sets the trait
    page.locator('input[aria-label="Temperature"][aria-valuetext="0.50"]').wait_for()

    page.get_by_label("Your prompt").fill(PROMPT)
    page.get_by_role("button", name="Run", exact=True).click()
    page.locator(".op-prompt", has_text=PROMPT).wait_for()
    assert_prints_soon(page, 2, f"T = 0.5, '{PROMPT}'")
    assert page.evaluate("window.onePrompt") is None  # Python has computed it

    once = live(page)
    for _ in range(10):
        run(page, 1)
    page.get_by_role("slider", name="Temperature").wait_for()
    ten_times = live(page)
    print(f"after one run: {once}\nafter ten more: {ten_times}")
    assert ten_times == once
    assert once["DOM roots"] == once["views"] == 1


def test_answers_and_predictions_work_in_a_live_notebook(notebook):
    page = notebook
    run(page, 5)
    output = page.locator(".jp-Notebook .jp-CodeCell").nth(5).locator(".jp-OutputArea")
    output.get_by_role("img", name="two cells").wait_for()
    field = output.get_by_label("The weighted mean of the values")
    field.fill("4.67")
    field.press("Enter")
    output.get_by_text("plain mean").wait_for()
    assert not output.get_by_text("Count.").is_visible()
    output.get_by_label("4", exact=True).check()
    output.get_by_text("Commit and see").click()
    output.get_by_text("Count.").wait_for()
