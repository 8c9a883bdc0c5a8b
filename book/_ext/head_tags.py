"""What a page says of itself: to search engines, to messengers that show a card, to phones.

The site's address is `html: baseurl` in _config.yml. Nothing is loaded from it: the tags only name
the page and its picture as others see them.
"""

import re
from html import escape, unescape

from docutils import nodes

# In characters; search engines cut longer ones, and "19 minutes" describes no page.
MIN_DESCRIPTION, DESCRIPTION_LENGTH = 40, 155
SUBTITLE = "one question through a language model"
CARD = ("card.png", 1200, 630)
CARD_TEXT = (
    "A question is cut into tokens, becomes vectors and scores, and is answered token by token."
)
GROUNDS = {"light": "#ffffff", "dark": "#15181c"}  # of the pages; a phone colors its own bars so
TOUCH_ICON = "apple-touch-icon.png"
WITHOUT_CARD = ("search", "404")  # nobody shares them
TAG = re.compile(r"<[^>]+>")
SPHINX_VIEWPORT = re.compile(r'<meta name="viewport"[^>]*>\s*')  # its layout has one already


def description(context, doctree) -> str:
    """The page's first paragraph that is more than a note, as plain text, cut at a word."""
    paragraphs = doctree.findall(nodes.paragraph) if doctree else ()
    texts = (" ".join(paragraph.astext().split()) for paragraph in paragraphs)
    text = next((text for text in texts if len(text) >= MIN_DESCRIPTION), "")
    if not text:
        return f"{context['title']}: a page of the book {context['project']}"
    if len(text) <= DESCRIPTION_LENGTH:
        return text
    return text[:DESCRIPTION_LENGTH].rsplit(" ", 1)[0] + " …"


def meta(content: str, **names: str) -> str:
    named = " ".join(f'{key}="{escape(value)}"' for key, value in names.items())
    return f'<meta {named} content="{escape(content)}" />'


def card(site: str, address: str, title: str, text: str, project: str) -> list[str]:
    """How a messenger shows a link to the page: OpenGraph, which X reads too."""
    picture, width, height = CARD
    properties = {
        "og:type": "article" if address.rstrip("/") != site.rstrip("/") else "website",
        "og:site_name": project,
        "og:title": title,
        "og:description": text,
        "og:url": address,
        "og:image": f"{site}_static/{picture}",
        "og:image:width": str(width),
        "og:image:height": str(height),
        "og:image:alt": CARD_TEXT,
    }
    tags = [meta(content, property=name) for name, content in properties.items()]
    return [*tags, meta("summary_large_image", name="twitter:card")]


def add_tags(app, pagename, templatename, context, doctree):
    site, project = app.config.html_baseurl, context["project"]
    title = unescape(TAG.sub("", context.get("title") or pagename.capitalize()))
    context["title"], context["head_title"] = title, f"{title} — {project}"
    if pagename == app.config.root_doc:
        context["head_title"] = f"{project}: {SUBTITLE}"
        context["pageurl"] = site  # where its copy is (site_files.py)
    text = description(context, doctree)
    tags = [meta(text, name="description")]
    for theme, color in GROUNDS.items():
        tags.append(meta(color, name="theme-color", media=f"(prefers-color-scheme: {theme})"))
    icon = context["pathto"](f"_static/{TOUCH_ICON}", resource=True)
    tags.append(f'<link rel="apple-touch-icon" href="{icon}" />')
    if pagename in WITHOUT_CARD:
        context["pageurl"] = None
    elif site:
        tags += card(site, context["pageurl"], context["head_title"], text, project)
    known = SPHINX_VIEWPORT.sub("", context.get("metatags") or "")
    context["metatags"] = known + "\n    ".join(tags)


def setup(app):
    app.connect("html-page-context", add_tags)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
