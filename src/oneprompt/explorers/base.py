"""The base of all explorers: a live widget in a notebook, the same code on a static page.

A notebook shows the widget, whose traits are synced with Python. The book shows its *twin*: HTML
that holds the state as JSON, the same JavaScript, and a stand-in for the widget's model. The twin
is a classic inline script, so it works from `file://`, needs no request, and is on the page before
the first paint. Its text depends only on the state: no random ids.
"""

import html
from pathlib import Path
from typing import ClassVar

import anywidget
from IPython import get_ipython
from traitlets import Bool, Dict, TraitError, Unicode, observe, validate

from oneprompt.explorers.prompts import check_prompt
from oneprompt.js.bundle import bundle, function_body
from oneprompt.notebook.markup import caption_below, script_json, sheet
from oneprompt.notebook.style import shades, variables

KIT = Path(__file__).with_name("kit")


def _stylesheet(folder: Path) -> str:
    """The book's colors, the styles that all explorers share, and those of this one."""
    kit, own = KIT / "kit.css", folder / "view.css"
    texts = [path.read_text("utf-8") for path in (kit, own) if path.is_file()]
    colors = [variables(".op-explorer"), shades(".op-explorer"), sheet("caption.css")]
    return "\n".join([*colors, *texts])


def fallback_table(caption: str, header: list[str], rows: list[list[str]]) -> str:
    """An HTML table of plain texts, for readers without JavaScript."""
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f"<table><caption>{html.escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


_MADE = {}  # a notebook cell -> the id of its last run, and the explorers made in it


def _close_earlier_runs(explorer: "Explorer") -> None:
    """Close what earlier runs of this cell made: ipywidgets keeps every widget forever.

    A cell is known by its id or, if the front end sends none, by its code; two cells with the same
    code then count as one.
    """
    kernel = getattr(get_ipython(), "kernel", None)
    message = kernel.get_parent() if kernel else {}
    run = message.get("header", {}).get("msg_id")
    code = message.get("content", {}).get("code")
    cell = message.get("metadata", {}).get("cellId") or code
    if cell is None:  # made outside of a cell
        return
    last_run, explorers = _MADE.get(cell, (run, []))
    if last_run != run:
        for earlier in explorers:
            earlier.close()
        explorers = []
    _MADE[cell] = run, [*explorers, explorer]


class Explorer(anywidget.AnyWidget):
    """An interactive figure that runs in a notebook and on a static page.

    A subclass names its `folder`, where view.js exports `{compute, render({model, el})}` and
    view.css may hold further styles. Its state is synced traits of plain JSON values, and its
    `fallback()` is what a page without JavaScript shows.

    Attributes (all synced):
        caption: one sentence below the explorer, which says what to see.
    """

    folder: ClassVar[Path]
    caption = Unicode().tag(sync=True)
    # ipywidgets 7, which Colab has, would show the widget by this method, and not the twin.
    _ipython_display_ = None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "folder" in cls.__dict__:  # not in the class that traitlets derives per instance
            cls._page_script = function_body(bundle(cls.folder / "view.js"))
            cls._esm = (
                f"{bundle(KIT / 'captioned.js')}\n"
                f"export default captioned((() => {{\n{cls._page_script}\n}})());\n"
            )
            cls._css = _stylesheet(cls.folder)

    def __init__(self, **traits):
        super().__init__(**traits)
        _close_earlier_runs(self)

    def close(self) -> None:
        self.layout.close()  # a separate widget, which nothing else closes
        super().close()

    def fallback(self) -> str:
        """Safe HTML with the explorer's main content; see `fallback_table`."""
        raise NotImplementedError

    def state(self) -> dict:
        """The synced traits of the explorer itself, without those of every widget."""
        inherited = Explorer.class_trait_names(sync=True)
        names = (name for name in self.keys if not name.startswith("_") and name not in inherited)
        return {name: getattr(self, name) for name in names}

    def twin(self) -> str:
        """The explorer as HTML for a page without a kernel."""
        note = "This explorer needs JavaScript. In a notebook, run this cell to start it."
        return (
            f'<figure data-explorer="{type(self).__name__}">\n<style>\n{self._css}</style>\n'
            f'<div class="op-root"><noscript><p>{note}</p>{self.fallback()}</noscript></div>\n'
            f"{caption_below(self.caption)}\n"
            f'<script type="application/json">{script_json(self.state())}</script>\n'
            f"<script>\n(() => {{\nconst host = document.currentScript.parentElement;\n"
            f"{bundle(KIT / 'twin.js')}\n"
            f"mountTwin(host, () => {{\n{self._page_script}\n}});\n}})();\n</script>\n</figure>"
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return data | {"text/html": self.twin()}, metadata


class PromptExplorer(Explorer):
    """An explorer whose prompt the reader can change.

    A subclass's `compute(text)` gives the traits of a prompt. In a notebook, Python computes them;
    on a static page, the function of the same name in the folder's state.js does:
    `compute(lm, text, get, tell)`, where `lm` is js/page.js, `get(name)` reads a trait and
    `tell(notice)` reports progress. A test checks that the two agree.

    Attributes (all synced):
        prompt: the text that is shown. Setting it computes its traits; a text that is refused
            changes nothing.
        data: what is computed from the prompt; see the subclass.
        asked: what the reader typed last.
        notice: what the reader is told about it, such as why it is refused; often "".
        busy: whether it is being computed.
    """

    prompt = Unicode().tag(sync=True)
    data = Dict().tag(sync=True)
    asked = Unicode().tag(sync=True)
    notice = Unicode().tag(sync=True)
    busy = Bool(False).tag(sync=True)

    def compute(self, text: str) -> dict:
        """The traits of a prompt: "data", and those that it resets.

        Raises:
            ValueError: the text cannot be shown; the message says what to do.
        """
        raise NotImplementedError

    # A validator, not an observer: a prompt that is refused must not become the state.
    @validate("prompt")
    def _compute(self, proposal):
        check_prompt(proposal.value)
        self.assign(self.compute(proposal.value))
        return proposal.value

    def assign(self, traits: dict) -> None:
        """Set several traits at a time: each is checked against the new values of the others."""
        with self.hold_sync(), self.hold_trait_notifications():
            for name, value in traits.items():
                self.set_trait(name, value)

    @observe("asked")
    def _answer(self, change):
        if not self.asked:  # the page empties it, so that the same text again counts as a change
            return
        self.busy = True
        try:
            with self.hold_sync():
                self.prompt, self.notice = self.asked, ""
        except (TypeError, ValueError, TraitError) as error:
            self.notice = str(error)
        finally:
            self.busy = False
