"""One style sheet for the whole book: the rules that its pages can match, and the icons they use.

The themes bring about 560 KB of CSS and 600 KB of icon fonts for a few hundred rules and a few
dozen icons that are really used. `_static/book.css` keeps those; the pages link nothing else but
KaTeX's sheet.
"""

import base64
import hashlib
import io
import logging
import re
from pathlib import Path, PurePosixPath
from posixpath import normpath

import tinycss2
from fontTools import subset
from fontTools.ttLib import TTFont
from head_tags import GROUNDS

from oneprompt.notebook.markup import stylesheet
from oneprompt.notebook.style import variables

OWN_SHEETS = ("looks.css", "book.css", "print.css")
# The theme imports these two itself, outside Sphinx's list of style sheets.
THEME_SHEETS = ("basic.css", "styles/pydata-sphinx-theme.css")
# The scripts that set classes while the page is open.
SCRIPTS = (
    "scripts/bootstrap.js",
    "scripts/pydata-sphinx-theme.js",
    "scripts/sphinx-book-theme.js",
    "togglebutton.js",
    "copybutton.js",
    "design-tabs.js",
    "sphinx_highlight.js",
    "searchtools.js",
    "doctools.js",
    "page.js",
    "search.js",
)
ICON_FONTS = (
    ("fa-solid-900", "Font Awesome 6 Free", 900),
    ("fa-brands-400", "Font Awesome 6 Brands", 400),
)
NOTICE = (
    "/* The rules in use of the theme's style sheets. Icons: Font Awesome Free (SIL OFL 1.1) */\n"
)
logging.getLogger("fontTools").setLevel(logging.WARNING)  # it reports each table of a font

WORD = re.compile(r"[A-Za-z_][\w-]*")
CONDITION = re.compile(r":(?:not|is|where|has|matches)\((?:[^()]|\([^()]*\))*\)")
CLASS_OR_ID = re.compile(r"[.#]((?:\\.|[\w-])+)")
URL = re.compile(r"url\((['\"]?)(?!data:|https?:|#)([^)'\"]+)\1\)")
ICON = re.compile(r"\\([ef][0-9a-f]{3})\b")


def words_in_use(site: Path) -> set[str]:
    """Every word of the pages and scripts: no class or id outside this set can ever match."""
    files = [*site.rglob("*.html"), *(site / "_static" / name for name in SCRIPTS)]
    texts = (file.read_text("utf-8") for file in files if file.exists())
    return {word for text in texts for word in WORD.findall(text)}


def can_match(selector: str, words: set[str]) -> bool:
    names = CLASS_OR_ID.findall(CONDITION.sub("", selector))
    return all(name.replace("\\", "") in words for name in names)


def split_selectors(prelude: list) -> list[str]:
    """The selectors of a rule. Commas inside `:is(...)` are not on the top level of tokens."""
    selectors = [""]
    for token in prelude:
        if token == ",":
            selectors.append("")
        else:
            selectors[-1] += token.serialize()
    return [selector.strip() for selector in selectors]


def keep_rule(rule, words: set[str]) -> str:
    """The rule as text, without the selectors that cannot match; empty if nothing is left."""
    if rule.type == "qualified-rule":
        selectors = [s for s in split_selectors(rule.prelude) if can_match(s, words)]
        body = " ".join(tinycss2.serialize(rule.content).split())
        return f"{','.join(selectors)}{{{body}}}" if selectors and body else ""
    if rule.type != "at-rule" or rule.lower_at_keyword in ("charset", "import"):
        return ""
    if rule.lower_at_keyword in ("media", "supports", "layer", "container") and rule.content:
        inner = keep_rules(rule.content, words)
        prelude = tinycss2.serialize(rule.prelude)
        return f"@{rule.at_keyword}{prelude}{{{inner}}}" if inner else ""
    text = rule.serialize()
    replaced_by_subset = rule.lower_at_keyword == "font-face" and "Font Awesome" in text
    return "" if replaced_by_subset else text


def keep_rules(css, words: set[str]) -> str:
    rules = tinycss2.parse_rule_list(css, skip_comments=True, skip_whitespace=True)
    return "".join(keep_rule(rule, words) for rule in rules)


def rebase_urls(css: str, folder: PurePosixPath) -> str:
    """Addresses relative to `_static/`, where the merged sheet is."""
    return URL.sub(lambda match: f'url("{normpath(folder / match[2])}")', css)


def icon_fonts(css: str, static: Path) -> str:
    """`@font-face` rules with only the icons that the rules draw, as data URLs."""
    private_use = {ord(character) for character in css if 0xE000 <= ord(character) <= 0xF8FF}
    icons = private_use | {int(code, 16) for code in ICON.findall(css)}
    rules = []
    for file, family, weight in ICON_FONTS:
        font = TTFont(static / "vendor" / "fontawesome" / "webfonts" / f"{file}.ttf")
        options = subset.Options(layout_features=[], notdef_outline=False, hinting=False)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=icons)
        subsetter.subset(font)
        font.flavor = "woff"
        data = io.BytesIO()
        font.save(data)
        url = f"data:font/woff;base64,{base64.b64encode(data.getvalue()).decode()}"
        rules.append(
            f'@font-face{{font-family:"{family}";font-weight:{weight};font-style:normal;'
            f'font-display:block;src:url("{url}") format("woff")}}'
        )
    return "".join(rules)


def ground(theme: str) -> str:
    return f'html[data-theme="{theme}"] {{ --pst-color-background: {GROUNDS[theme]}; }}'


def merged_sheet(site: Path, names: list[str]) -> str:
    static, words = site / "_static", words_in_use(site)
    sheets = [
        rebase_urls((static / name).read_text("utf-8"), PurePosixPath(name).parent)
        for name in names
    ]
    own = [stylesheet(), variables(":root"), *map(ground, GROUNDS)]
    own += [Path(__file__).with_name(name).read_text("utf-8") for name in OWN_SHEETS]
    css = "".join(keep_rules(sheet, words) for sheet in [*sheets, *own])
    return NOTICE + icon_fonts(css, static) + css


def write_sheet(app, exception):
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    linked = [str(sheet.filename).removeprefix("_static/") for sheet in app.builder._css_files]
    local = [name for name in linked if name.endswith(".css") and "katex.min" not in name]
    local = [name for name in local if (site / "_static" / name).exists()]
    css = merged_sheet(site, list(dict.fromkeys([*THEME_SHEETS, *local])))
    (site / "_static" / "book.css").write_text(css, "utf-8")
    # The hash in the address makes browsers fetch a changed sheet.
    version = hashlib.sha256(css.encode()).hexdigest()[:8]
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        new = re.sub(r'/book\.css(\?v=\w+)?"', f'/book.css?v={version}"', text)
        if new != text:
            page.write_text(new, "utf-8")


def setup(app):
    app.connect("build-finished", write_sheet, priority=900)  # when all assets are in place
    return {"parallel_read_safe": True, "parallel_write_safe": True}
