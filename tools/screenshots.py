"""Every page of the built book: whole, in three widths, light and dark.

    python tools/screenshots.py [name of a page ...]

Writes _build/screenshots/<page>_<width>_<theme>.jpg, a long page cut into columns, and for each
width and theme sheet_<width>_<theme>.jpg, which shows all pages.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from itertools import product
from pathlib import Path

import chromium
import yaml
from PIL import Image
from playwright.sync_api import sync_playwright
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
OUT = chromium.BUILT.parent / "screenshots"
WIDTHS, THEMES = (1440, 768, 390), ("light", "dark")
CUT = 4000  # px: the height of a column
GAP = 24
SHEET_WIDTH, SHRUNK = 4200, {1440: 4, 768: 3, 390: 2}  # px; how much smaller a page is on a sheet
# Nothing waits until it comes near the window, and nothing moves.
STILL = "* { content-visibility: visible !important; transition: none !important; }"


def all_pages() -> list[str]:
    """The pages in the order of the table of contents."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    chapters = [chapter["file"] for part in contents["parts"] for chapter in part["chapters"]]
    return [Path(name).name for name in [contents["root"], *chapters]]


def take(context, address: str) -> Image.Image:
    """A whole page, its columns beside each other."""
    page = context.new_page()
    page.goto(address)
    page.add_style_tag(content=STILL)
    page.evaluate("document.fonts.ready.then(() => true)")
    width, height = page.evaluate("[innerWidth, document.documentElement.scrollHeight]")
    page.set_viewport_size({"width": width, "height": min(CUT, height)})
    tops = range(0, height, CUT)
    shown = Image.new("RGB", (len(tops) * (width + GAP) - GAP, min(CUT, height)), "gray")
    for i, top in enumerate(tops):
        part = {"x": 0, "y": top, "width": width, "height": min(CUT, height - top)}
        seen = page.screenshot(full_page=True, clip=part, type="jpeg", quality=85)
        shown.paste(Image.open(BytesIO(seen)), (i * (width + GAP), 0))
    page.close()
    return shown


def rows(pictures: list[Image.Image]) -> Iterator[list[Image.Image]]:
    """The pictures in rows of at most a sheet's width."""
    row: list[Image.Image] = []
    for picture in pictures:
        if row and sum(each.width + GAP for each in [*row, picture]) > SHEET_WIDTH:
            yield row
            row = []
        row.append(picture)
    yield row


def sheet(pictures: list[Image.Image]) -> Image.Image:
    """All pictures below and beside each other."""
    lines = list(rows(pictures))
    width = max(sum(each.width + GAP for each in row) for row in lines) + GAP
    heights = [max(each.height for each in row) + GAP for row in lines]
    result, y = Image.new("RGB", (width, sum(heights) + GAP), "gray"), GAP
    for row, height in zip(lines, heights, strict=True):
        x = GAP
        for picture in row:
            result.paste(picture, (x, y))
            x += picture.width + GAP
        y += height
    return result


def main(names: list[str]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    progress = tqdm(total=len(names) * len(WIDTHS) * len(THEMES), desc="screenshots")
    with chromium.served(chromium.BUILT) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(playwright), args=list(chromium.FLAGS)
        )
        for width, theme in product(WIDTHS, THEMES):
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=theme
            )
            small = []
            for name in names:
                picture = take(context, f"{site}book/{name}.html")
                picture.save(OUT / f"{name}_{width}_{theme}.jpg")
                small.append(picture.reduce(SHRUNK[width]))
                progress.update()
            sheet(small).save(OUT / f"sheet_{width}_{theme}.jpg")
            context.close()
        browser.close()
    progress.close()
    print(f"The sheets: {OUT}/sheet_*.jpg")


if __name__ == "__main__":
    main(sys.argv[1:] or all_pages())
