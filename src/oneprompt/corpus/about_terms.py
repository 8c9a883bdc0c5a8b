"""Documents about the glossary's terms: questions, contrasts, sentences to finish, dialogues."""

from . import Entry, capitalize
from .as_typed import marked, oddly_spelled, unmark
from .document import Document
from .prompts import NAMES, Prompter
from .questions import CONTRASTS, answered, ask
from .replies import (
    DEFINITION_WEIGHTS,
    NO_ENTRY,
    OPENINGS,
    another_name,
    define,
    goes_on,
    predicate,
    related,
)
from .things import Named, name_of


class AboutTerms(Prompter):
    """Writes the documents whose prompts name a term; every kind has a method of its name."""

    def definition(self, entry: Entry) -> str:
        sentence = self.rng.choices(entry.definitions, DEFINITION_WEIGHTS)[0]
        return define(entry, self.pick(OPENINGS), sentence)

    def reply(self, kind: str, entry: Entry, more: float = 0.0) -> str:
        """One of the answers of the kind; a definition may be followed by one more sentence."""
        if kind in ("how", "why", "example") and getattr(entry, kind):
            return getattr(entry, kind)
        if kind == "related":
            return related(entry, self.by_term)
        further = f" {self.rng.choice(entry.details)}" if self.rng.random() < more else ""
        return self.definition(entry) + further

    def plain_reply(self, kind: str, entry: Entry) -> str:
        """The one answer to whatever is not among the book's own questions.

        With nothing to choose in the answer, all that these documents teach is what is asked.
        """
        return getattr(entry, kind, "") or entry.definition

    def answer(self) -> Document:
        """One of the book's questions and its answer."""
        kind = self.pick((("what", 68), ("how", 10), ("why", 10), ("example", 8), ("related", 4)))
        entry = self.entry()
        if kind == "what" and self.rng.random() < 0.5:
            form, entry = self.next_question()
            question = self.asked(lambda: ask(form, entry), entry)
        else:
            kind = kind if kind in answered(entry) else "what"
            question = self.question(kind, entry)
        return Document.of(question, self.reply(kind, entry, more=0.52))

    def natural(self) -> Document:
        """A question in one of the many forms."""
        kind = self.pick((("what", 58), ("how", 14), ("why", 20), ("example", 8)))
        entry = self.entry()
        return Document.of(self.about(kind, entry), self.plain_reply(kind, entry))

    def plural(self) -> Document:
        entry = self.rng.choice(self.countable)
        return Document.of(self.about("plural", entry), entry.definition)

    def bare(self) -> Document:
        entry = self.entry()
        return Document.of(self.about("bare", entry), entry.definition)

    def respelled(self) -> Document:
        """A short prompt in which a term, or now and then another thing, is hard to recognize."""
        kind = self.pick((("bare", 34), ("short", 38), ("how", 8), ("why", 10), ("plural", 10)))
        if self.rng.random() < 0.2:
            form, thing = self.rng.choice(self.forms[kind]), self.unknown_things.thing()
            prompt = self.asked(lambda: oddly_spelled(self.filled(form, thing), self.rng))
            return Document.of(prompt, NO_ENTRY.format(marked(prompt)[0]))
        entry = self.rng.choice(self.countable) if kind == "plural" else self.entry()
        prompt = self.about(kind, entry, lambda text: oddly_spelled(text, self.rng))
        return Document.of(prompt, self.plain_reply(kind, entry))

    def around(self) -> Document:
        """Whatever is said of a term, the entry is all that the glossary can say."""
        entry = self.entry()
        return Document.of(self.about("around", entry), entry.definition)

    def among(self) -> Document:
        """A term in the middle of any words, in any order: only the term tells what to answer."""
        entry = self.entry()
        prompt = self.asked(lambda: self.jumble(name_of(entry, self.rng)), entry)
        return Document.of(prompt, entry.definition)

    def begun(self) -> Document:
        """The beginning of a sentence that the glossary does not have, and one that it has."""
        entry = self.entry()
        while True:
            prompt = self.about("beginning", entry)
            if not goes_on(prompt, entry):
                return Document.of(prompt, entry.definition)

    def continued(self) -> Document:
        """A sentence of the glossary, which a prompt may break off anywhere."""
        entry = self.entry()
        said = predicate(entry, self.rng.choices(entry.definitions, DEFINITION_WEIGHTS)[0])
        more = f" {self.rng.choice(entry.details)}" if self.rng.random() < 0.4 else ""
        if self.rng.random() < 0.4:
            return Document.of(self.talk("lead in"), f"{entry.subject} {said}{more}")
        form = self.pick((("{S} {p}", 4), ("The {t} {p}", 1), ("{T} {p}", 1)))
        if not entry.article:
            form = form.replace("The {t}", "{T}")
        text = form.format(S=capitalize(entry.subject), t=entry.term, T=capitalize(entry.term),
                           p=said)  # fmt: skip
        return Document.whole(text + more)

    def two_questions(self) -> Document:
        """Two questions at once about a term; the second one hardly changes the answer."""
        entry = self.entry()
        kind = self.pick((("what", 60), ("plural", 15), ("around", 25)))
        first = self.about(kind if kind != "plural" or entry.in_plural else "what", entry)
        return Document.of(f"{first} {self.talk_about_it()}", entry.definition)

    def talk_about_it(self) -> str:
        return self.filled(self.rng.choice(self.forms["follow up"]), Named("it", "it", "them"))

    def dialogue(self) -> Document:
        """Two or three questions in a row, the later ones about the same or a related term."""
        entry, turns = self.entry(), []
        kinds = [kind for kind in answered(entry) if kind != "related"]
        for kind in self.rng.sample(kinds, min(len(kinds), self.rng.randint(2, 3))):
            if kind not in answered(entry):
                continue
            turns += [self.question(kind, entry), self.reply(kind, entry)]
            if self.rng.random() < 0.4:
                entry = self.by_term[self.rng.choice(entry.see_also)]
        return Document.of(*turns)

    def contrast(self) -> Document:
        a, b = self.two_entries()
        form = self.rng.choice(CONTRASTS)
        question = self.asked(lambda: form.format(a=a.subject, b=b.subject), a, b)
        return Document.of(question, f"{a.definition} {b.definition}")

    def pair(self) -> Document:
        """Two things in a prompt: two terms, a term and something else, or two other things."""
        a, b = self.two_entries()
        form = self.rng.choice((*self.forms["pair"] * 3, *CONTRASTS))
        chance = self.rng.random()
        if chance < 0.65:
            things = name_of(a, self.rng), name_of(b, self.rng)
            return Document.of(self.two(form, *things, a, b), f"{a.definition} {b.definition}")
        term, other = name_of(a, self.rng), self.unknown_things.thing()
        if chance > 0.88:
            prompt = self.two(form, other, self.unknown_things.thing())
            return Document.of(prompt, NO_ENTRY.format(marked(prompt)[0]))
        first = self.rng.random() < 0.6
        prompt = self.two(form, *((term, other) if first else (other, term)), a)
        in_order = form.lower().index("{a}") < form.lower().index("{b}")
        refusal = NO_ENTRY.format(marked(prompt)[1 if first == in_order else 0])
        return Document.of(prompt, f"{a.definition} {refusal}")

    def two(self, form: str, a: Named, b: Named, *entries: Entry) -> str:
        """The form with two things, with or without their articles."""
        if self.rng.random() < 0.4:
            a, b = (Named(thing.term, *thing[1:]) for thing in (a, b))
        return self.asked(lambda: self.filled(form, a, b), *entries)

    def prose(self) -> Document:
        """An entry told as a paragraph."""
        entry = self.entry()
        rest = list(entry.details)
        self.rng.shuffle(rest)
        told = [self.rng.choice(entry.definitions), *rest[: self.rng.randint(1, 3)]]
        return Document.whole(" ".join(told))

    def alias(self) -> Document:
        entry = self.rng.choice([e for e in self.entries if e.aliases])
        alias = self.rng.choice(entry.aliases)
        form = self.rng.choice(("What is {}?", "What is {}?", 'What does "{}" mean?', "{}?",
                                "What does {} mean?", "Explain {}.", "What's {}?",
                                "Define {}."))  # fmt: skip
        question = self.asked(lambda: form.format(alias), entry)
        return Document.of(question, f"{another_name(entry, alias)} {entry.definition}")

    def quote(self) -> Document:
        """A conversation in which a sentence is said twice, word for word."""
        a, b = self.rng.sample(NAMES, 2)
        entry = self.entry()
        kind = self.rng.choice([k for k in answered(entry) if k != "related"])
        question, said = unmark(self.question(kind, entry)), self.reply(kind, entry)
        return Document.whole(self.rng.choice((
            f'{a} asked {b}: "{question}" {b} answered: "{said}" {a} wrote down: "{said}"',
            f'{a} said: "{said}" {b} did not hear it. {a} said again: "{said}"',
            f"{question} {said} Please say that again. {said}",
        )))  # fmt: skip
