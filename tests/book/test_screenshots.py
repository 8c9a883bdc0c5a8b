"""`make screenshots` covers all pages; pictured here are two of them, for time."""

import screenshots
from pages import PAGES
from PIL import Image

TWO = ["prerequisites", "notation"]


def test_every_page_of_the_table_of_contents_is_pictured():
    assert [f"book/{name}" for name in screenshots.all_pages()] == PAGES


def test_a_page_is_pictured_whole_in_each_width_and_theme(built_book, tmp_path, monkeypatch):
    monkeypatch.setattr(screenshots, "OUT", tmp_path)
    screenshots.main(TWO)
    views = [(w, theme) for w in screenshots.WIDTHS for theme in screenshots.THEMES]
    names = {f"{name}_{w}_{theme}.jpg" for name in [*TWO, "sheet"] for w, theme in views}
    assert {path.name for path in tmp_path.iterdir()} == names
    brightness = {}
    for width, theme in views:
        with Image.open(tmp_path / f"{TWO[0]}_{width}_{theme}.jpg") as picture:
            columns, rest = divmod(picture.width + screenshots.GAP, width + screenshots.GAP)
            assert (columns >= 1, rest) == (True, 0)
            assert picture.height <= screenshots.CUT
            assert len(picture.getcolors(2**24)) > 50  # something is drawn
            brightness[width, theme] = picture.convert("L").resize((1, 1)).getpixel((0, 0))
    for width in screenshots.WIDTHS:
        assert brightness[width, "dark"] < 80 < 160 < brightness[width, "light"]
