"""The directive `{corpus-glossary}`: the glossary page, from the entries the model was trained on.

Every term and alias can be linked from any page with {term}`causal mask`.
"""

from importlib.resources import files
from itertools import groupby

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_id

from oneprompt.corpus import THEMES, Entry, load_glossary


class CorpusGlossary(SphinxDirective):
    """One section per category, one definition-list item per entry."""

    def run(self) -> list[nodes.Node]:
        for theme in THEMES:
            self.env.note_dependency(str(files("oneprompt.corpus") / f"{theme}.yaml"))
        self.slugs = {entry.term: entry.slug for entry in load_glossary()}
        by_category = groupby(load_glossary(), key=lambda entry: entry.category)
        return [self.section(category, list(entries)) for category, entries in by_category]

    def section(self, category: str, entries: list[Entry]) -> nodes.section:
        name = make_id(self.env, self.state.document, "category", category)
        title = nodes.title(category, category)
        listing = nodes.definition_list("", *map(self.item, entries), classes=["glossary"])
        return nodes.section("", title, listing, ids=[name], names=[])

    def item(self, entry: Entry) -> nodes.definition_list_item:
        term = nodes.term("", entry.term, ids=[entry.slug])
        standard = self.env.get_domain("std")
        for name in (entry.term, *entry.aliases):
            standard.note_object("term", name, entry.slug, location=term)
        body = nodes.definition("", nodes.paragraph("", entry.definition))
        if entry.aliases:
            names = nodes.inline("", ", ".join(entry.aliases), classes=["op-alias"])
            body += self.line("Also called", names)
        about = {"How": entry.how, "Why": entry.why, "Example": entry.example, "Note": entry.note}
        for label, text in about.items():
            if text:
                body += self.line(label, nodes.Text(text))
        body += self.line("See also", *self.links(entry.see_also))
        body += self.other_words(entry)
        return nodes.definition_list_item("", term, body)

    def line(self, label: str, *content: nodes.Node) -> nodes.paragraph:
        return nodes.paragraph("", "", nodes.strong("", f"{label}: "), *content)

    def links(self, terms: tuple[str, ...]) -> list[nodes.Node]:
        links = []
        for term in terms:
            if links:
                links.append(nodes.Text(", "))
            if term not in self.slugs:
                raise self.error(f"see_also names {term!r}, which is not a term of the glossary")
            links.append(nodes.reference("", term, internal=True, refid=self.slugs[term]))
        return links

    def other_words(self, entry: Entry) -> list[nodes.Node]:
        """The paraphrases, collapsed: the model has read them too."""
        items = [nodes.list_item("", nodes.paragraph("", text)) for text in entry.paraphrases]
        opening = "<details><summary>In other words</summary>"
        return [
            nodes.raw("", opening, format="html"),
            nodes.bullet_list("", *items),
            nodes.raw("", "</details>", format="html"),
        ]


def setup(app):
    app.add_directive("corpus-glossary", CorpusGlossary)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
