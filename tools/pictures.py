"""Make the committed pictures: the card that messengers show of a link, and the icon on a phone.

    python tools/pictures.py

The card is the picture of the first page, with the numbers of today's model; README opens with it.
"""

import chromium
from playwright.sync_api import sync_playwright

from oneprompt.notebook.markup import stylesheet
from oneprompt.notebook.title_picture import TitlePicture

BOOK = chromium.BUILT.parent.parent / "book"
PICTURES = BOOK / "_pictures"
CARD = f"""<!doctype html><meta charset="utf-8"><style>
{stylesheet()}
body {{ margin: 0; box-sizing: border-box; width: 1200px; height: 630px; padding: 56px 64px;
  display: flex; flex-direction: column; justify-content: space-between;
  background: #fff; color: #1d2126; font-family: system-ui, sans-serif; }}
h1 {{ margin: 0; font-size: 76px; letter-spacing: -0.02em; }}
p {{ margin: 8px 0 0; font-size: 32px; color: #4b525c; }}
.op-title {{ zoom: 1.3; }}
</style><header><h1>One Prompt</h1>
<p>One question through a language model, in nine steps</p></header>
{TitlePicture().html()}<p>Every number from a real model that runs in your browser</p>"""
ICON = f"""<!doctype html><style>body {{ margin: 0 }} svg {{ display: block }}</style>
{
    (BOOK / "favicon.svg")
    .read_text("utf-8")
    .replace("<svg ", '<svg width="180" height="180" ')
    .replace('rx="7"', "")
}"""  # a phone rounds the corners itself


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(playwright), args=list(chromium.FLAGS)
        )
        for name, html, width, height in (
            ("card.png", CARD, 1200, 630),
            ("apple-touch-icon.png", ICON, 180, 180),
        ):
            page = browser.new_page(viewport={"width": width, "height": height})
            page.set_content(html)
            page.screenshot(path=PICTURES / name)
            print(f"{PICTURES / name}")
        browser.close()


if __name__ == "__main__":
    main()
