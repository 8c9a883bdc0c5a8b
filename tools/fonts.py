"""Make the book's fonts: what its pages use of Source Serif and Source Code, small enough to send.

    npm pack source-serif@4.5.1 source-code-pro@2.42.0
    pip install brotli  # woff2 is compressed with it
    python tools/fonts.py source-serif-4.5.1.tgz source-code-pro-2.42.0.tgz

Writes book/_vendor/fonts. The license reserves the name "Source" for the originals, so the subsets
have names of their own. To each roman it adds the open box of Unicode, ␣, with which the book shows
a space and which the originals lack.
"""

import io
import sys
import tarfile
from pathlib import Path

from fontTools import subset
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

OUT = Path(__file__).resolve().parent.parent / "book" / "_vendor" / "fonts"
OPEN_BOX = 0x2423
OPTICAL_SIZE = 18  # px, that of the text
ROMAN, ITALIC = (400, 700), 400  # weights; a bold italic is so rare that the browser makes it
LATIN = {*range(0x20, 0x7F), *range(0xA0, 0x100), *map(ord, "–—‘’“”•…′€−ˣ")}
GREEK = set(range(0x391, 0x3CA)) - {0x3A2}
SIGNS = {*range(0x2190, 0x2194), *map(ord, "√∞≈≠≤≥∂∏∑∆⁄✓"), *range(0x2150, 0x215F)}
SIGNS |= {*range(0x2070, 0x209D)}  # raised and lowered digits
SHAPES = set(map(ord, "■□▪▸▾▁▂▃▄▅▆▇█░▒▓│─┌┐└┘├┤"))
TEXT, CODE = "package/VAR/SourceSerif4Variable", "package/VF/SourceCodeVF"
# file -> (its new name, the original in its package, the characters)
FACES = {
    "text.woff2": ("Prompt Text", f"{TEXT}-Roman.ttf", LATIN | GREEK | SIGNS),
    "text-italic.woff2": ("Prompt Text", f"{TEXT}-Italic.ttf", LATIN),
    "code.woff2": ("Prompt Code", f"{CODE}-Upright.ttf", LATIN | GREEK | SIGNS | SHAPES),
}


def add_open_box(font: TTFont) -> None:
    """␣, as wide as a digit: a stroke below the line with its two ends turned up."""
    width = font["hmtx"]["zero"][0]
    left, right, stroke, top, bottom = 60, width - 60, 62, 90, -110  # a thousandth of the size each
    corners = [(left, top), (left, bottom), (right, bottom), (right, top)]
    corners += [(right - stroke, top), (right - stroke, bottom + stroke)]
    corners += [(left + stroke, bottom + stroke), (left + stroke, top)]
    pen = TTGlyphPen(None)
    pen.moveTo(corners[0])
    for corner in reversed(corners[1:]):
        pen.lineTo(corner)
    pen.closePath()
    name = f"uni{OPEN_BOX:04X}"
    font["glyf"][name] = pen.glyph()
    font["hmtx"][name] = (width, left)
    font["gvar"].variations[name] = []
    advances = font["HVAR"].table.AdvWidthMap
    advances.mapping[name] = advances.mapping["zero"]
    for table in font["cmap"].tables:
        table.cmap[OPEN_BOX] = name


def rename(font: TTFont, name: str) -> None:
    kept = {0, 13, 14}  # copyright and license
    font["name"].names = [entry for entry in font["name"].names if entry.nameID in kept]
    for identifier, text in ((1, name), (2, "Regular"), (4, name), (6, name.replace(" ", ""))):
        font["name"].setName(text, identifier, 3, 1, 0x409)


def shrink(font: TTFont, characters: set[int]) -> None:
    """Only these characters, the weights that the pages use, and one optical size."""
    weights = ITALIC if font["post"].italicAngle else ROMAN
    features = ["kern", "liga", "ccmp", "mark", "tnum", "locl"]
    subsetter = subset.Subsetter(
        subset.Options(layout_features=features, hinting=False, name_IDs=["*"])
    )
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    limits = {"wght": weights} | ({"opsz": OPTICAL_SIZE} if len(font["fvar"].axes) > 1 else {})
    instantiateVariableFont(font, limits, inplace=True)


def main(*packages: str) -> None:
    OUT.mkdir(exist_ok=True)
    for package in packages:
        with tarfile.open(package) as files:
            paths = set(files.getnames())
            for file, (name, path, characters) in FACES.items():
                if path not in paths:
                    continue
                font = TTFont(io.BytesIO(files.extractfile(path).read()), recalcTimestamp=False)
                shrink(font, characters)
                if characters > GREEK:
                    add_open_box(font)
                rename(font, name)
                font.flavor = "woff2"
                font.save(OUT / file)
                print(f"{OUT / file}: {(OUT / file).stat().st_size:,} bytes")
            license_text = files.extractfile("package/LICENSE.md").read().decode()
            name = Path(package).name.removesuffix(".tgz")
            (OUT / f"LICENSE-{name}.md").write_text(license_text.replace("\r\n", "\n"), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
