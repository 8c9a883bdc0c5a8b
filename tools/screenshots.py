"""Every explorer of the built book on one sheet: light and dark, 1280 and 360 px wide.

    python tools/screenshots.py [name of a page ...]

Writes _build/screenshots/<page>_<theme>_<width>.png and contact_sheet.png, which shows them all.
"""

import sys
from pathlib import Path

import chromium
from PIL import Image
from playwright.sync_api import sync_playwright
from tqdm import tqdm

OUT = chromium.BUILT.parent / "screenshots"
VIEWS = [(theme, width) for width in (1280, 360) for theme in ("light", "dark")]
SHEET_HEIGHT = 900  # of an explorer on the sheet
GAP = 24


def pages_with_explorers() -> list[str]:
    pages = sorted((chromium.BUILT / "book").glob("*.html"))
    return [page.stem for page in pages if "data-explorer=" in page.read_text("utf-8")]


def take(browser, site: str, name: str, theme: str, width: int) -> list[Path]:
    """A picture of each explorer of a page."""
    context = browser.new_context(viewport={"width": width, "height": 2400}, color_scheme=theme)
    page = context.new_page()
    page.goto(f"{site}book/{name}.html")
    page.add_style_tag(
        content=".pst-async-banner-revealer, .bd-header, .skip-link { display: none }"
    )
    pictures = []
    for i, explorer in enumerate(page.locator(".op-explorer").all()):
        pictures.append(OUT / f"{name}{'' if i == 0 else f'-{i}'}_{theme}_{width}.png")
        explorer.screenshot(path=pictures[-1])
    context.close()
    return pictures


def sheet(rows: list[list[Path]]) -> Image.Image:
    """The pictures in rows, shrunk where they are too tall."""
    shown = [[Image.open(path).convert("RGB") for path in row] for row in rows]
    for picture in (picture for row in shown for picture in row):
        picture.thumbnail((picture.width, SHEET_HEIGHT))
    width = max(sum(picture.width + GAP for picture in row) for row in shown) + GAP
    heights = [max(picture.height for picture in row) + GAP for row in shown]
    result = Image.new("RGB", (width, sum(heights) + GAP), "gray")
    y = GAP
    for row, height in zip(shown, heights, strict=True):
        x = GAP
        for picture in row:
            result.paste(picture, (x, y))
            x += picture.width + GAP
        y += height
    return result


def main() -> None:
    names = sys.argv[1:] or pages_with_explorers()
    OUT.mkdir(parents=True, exist_ok=True)
    with chromium.served(chromium.BUILT) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(playwright), args=list(chromium.FLAGS)
        )
        rows = []
        for name in tqdm(names):
            views = [take(browser, site, name, *view) for view in VIEWS]
            rows += [list(row) for row in zip(*views, strict=True)]
        browser.close()
    sheet(rows).save(OUT / "contact_sheet.png")
    print(f"The sheet: {OUT / 'contact_sheet.png'}")


if __name__ == "__main__":
    main()
