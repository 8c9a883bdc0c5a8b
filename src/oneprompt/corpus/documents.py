"""From glossary entries to training text: a small seeded grammar of questions and answers.

A document is a question with its answer, a short dialogue, a contrast of two terms, a piece of
prose, a sentence copied word for word, a greeting, or an honest "not in my glossary". The sentences
are the entries' own; the grammar only chooses, opens and connects them, so that all of it is true.
"""

import hashlib
import random
from functools import cache
from importlib.resources import files

import yaml

from . import Entry, capitalize, load_glossary

N_DOCUMENTS = 48_000
SEED = 2026

QUESTIONS = {
    "what": ("What is {subject}?", "Explain {subject}.", "What does {term} mean?",
             "Can you explain {subject}?", "Define {term}.", "Tell me what {subject} is.",
             "Describe {subject}.", "What do you know about {subject}?",
             "How would you describe {subject}?", "Tell me about {subject}.",
             "What exactly is {subject}?", "Give me an idea of {subject}.",
             "Could you define {term}?", "What is meant by {subject}?",
             "Help me understand {subject}.", "I want to know what {subject} is.",
             "So what is {subject}?"),
    "how": ("How does {subject} work?", "Explain how {subject} works.",
            "Can you explain how {subject} works?"),
    "why": ("Why does {subject} matter?", "Why is {subject} important?",
            "What makes {subject} important?"),
    "example": ("Give an example of {subject}.", "What is an example of {subject}?",
                "Can you give an example of {subject}?"),
    "related": ("Which terms are related to {subject}?", "What should I read after {subject}?"),
}  # fmt: skip
CANONICAL = QUESTIONS["what"][0]
UNSEEN_FORMS = ("Give me a definition of {term}.", "In one sentence, what is {subject}?",
                "I would like to understand {subject}.")  # fmt: skip
CONTRASTS = ("What is the difference between {a} and {b}?", "How does {a} differ from {b}?",
             "Compare {a} with {b}.")  # fmt: skip
FORMS_HELD_OUT_PER_TERM = 2

# How an answer to "What is ...?" begins, and how often. {s} is the subject, {p} what is said of it.
OPENINGS = (("{S} {p}", 48), ("It {p}", 7), ("In short, {s} {p}", 10), ("Put simply, {s} {p}", 9),
            ("The glossary says that {s} {p}", 9), ("Good question: {s} {p}", 9),
            ("Here is a short answer: {s} {p}", 8))  # fmt: skip
DEFINITION_WEIGHTS = (46, 18, 18, 18)  # the definition, then its paraphrases

NOT_COVERED = tuple(yaml.safe_load((files(__package__) / "not_covered.yaml").read_text("utf-8")))
GREETINGS = ("Hello.", "Hello!", "Hi.", "Hi there.", "Good morning.", "Who are you?",
             "What are you?", "Can you help me?", "What can you do?", "Help.")  # fmt: skip
WELCOME = (
    "I am a small language model that has read only the glossary of this book. "
    'Ask me about one of its terms, for example "What is a token?"'
)
NAMES = ("Ada", "Alan", "Grace", "Claude", "Emmy", "Kurt", "Mary", "Noor", "Ravi", "Lin", "Sofia",
         "Tomas", "Yuki", "Omar", "Ines", "Pavel")  # fmt: skip


def ask(form: str, entry: Entry) -> str:
    """The question form filled in for one entry."""
    return form.format(subject=entry.subject, term=entry.term)


def answered(entry: Entry) -> tuple[str, ...]:
    """The kinds of question that the entry has an answer to."""
    return tuple(k for k in QUESTIONS if k in ("what", "related") or getattr(entry, k))


def predicate(entry: Entry, sentence: str) -> str:
    """What a definition says of its subject: "A token is a word." -> "is a word."."""
    return sentence.removeprefix(capitalize(entry.subject)).lstrip()


def define(entry: Entry, opening: str, sentence: str) -> str:
    """One of the definitions, with one of the openings."""
    said = predicate(entry, sentence)
    return opening.format(S=capitalize(entry.subject), s=entry.subject, p=said)


def definition_sentences(entry: Entry, must_name: bool = True) -> set[str]:
    """Every first sentence that answers "What is ...?", with or without those that say "It"."""
    openings = [o for o, _ in OPENINGS if "{s}" in o.lower() or not must_name]
    return {define(entry, opening, d) for opening in openings for d in entry.definitions}


@cache
def held_out_questions() -> frozenset[tuple[str, str]]:
    """The (form, term) pairs that the training text never contains, chosen before training."""
    rng = random.Random(SEED)
    pairs = set()
    for entry in load_glossary():
        others = [form for form in QUESTIONS["what"] if form != CANONICAL]
        pairs |= {(form, entry.term) for form in rng.sample(others, FORMS_HELD_OUT_PER_TERM)}
    return frozenset(pairs)


@cache
def contrast_pairs() -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Pairs of related terms: those in the training text, and every tenth, which is held out."""
    pairs = sorted({tuple(sorted((e.term, o))) for e in load_glossary() for o in e.see_also})
    random.Random(SEED).shuffle(pairs)
    return tuple(p for i, p in enumerate(pairs) if i % 10), tuple(pairs[::10])


class Writer:
    """Writes documents, drawing every choice from one seeded random generator."""

    KINDS = (("answer", 58), ("dialogue", 11), ("contrast", 8), ("prose", 5), ("alias", 4),
             ("not_covered", 6), ("greeting", 1), ("quote", 4), ("copy_words", 3))  # fmt: skip

    def __init__(self, seed: int):
        self.rng = random.Random(seed)
        self.entries = load_glossary()
        self.by_term = {entry.term: entry for entry in self.entries}
        self.words = sorted({w for e in self.entries for w in e.definition[:-1].split()})
        # The running example is asked about more often than any other term.
        self.entry_weights = [4 if e.term == "machine learning" else 1 for e in self.entries]

    def document(self) -> str:
        return getattr(self, self.pick(self.KINDS))()

    def pick(self, weighted: tuple[tuple[str, int], ...]) -> str:
        choices, weights = zip(*weighted, strict=True)
        return self.rng.choices(choices, weights)[0]

    def entry(self) -> Entry:
        return self.rng.choices(self.entries, self.entry_weights)[0]

    def question(self, kind: str, entry: Entry) -> str:
        """A question as people type it: now and then without a capital or a question mark."""
        forms = [f for f in QUESTIONS[kind] if (f, entry.term) not in held_out_questions()]
        weights = [len(forms) if form == CANONICAL else 1 for form in forms]
        return self.typed(ask(self.rng.choices(forms, weights)[0], entry))

    def typed(self, text: str) -> str:
        if self.rng.random() < 0.08:
            text = text[0].lower() + text[1:]
        return text[:-1] if self.rng.random() < 0.08 else text

    def definition(self, entry: Entry) -> str:
        sentence = self.rng.choices(entry.definitions, DEFINITION_WEIGHTS)[0]
        return define(entry, self.pick(OPENINGS), sentence)

    def reply(self, kind: str, entry: Entry) -> str:
        if kind == "what":
            return self.definition(entry)
        if kind == "related":
            *first, last = (self.by_term[term].subject for term in entry.see_also)
            return f"{capitalize(entry.subject)} is related to {', '.join(first)} and {last}."
        return getattr(entry, kind)

    def answer(self) -> str:
        """A question and its answer; a definition is sometimes followed by one more sentence."""
        entry = self.entry()
        weights = (("what", 68), ("how", 10), ("why", 10), ("example", 8), ("related", 4))
        kind = self.pick([(k, w) for k, w in weights if k in answered(entry)])
        sentences = [self.question(kind, entry), self.reply(kind, entry)]
        if kind == "what" and self.rng.random() < 0.4:
            sentences.append(self.rng.choice(entry.details))
        return " ".join(sentences)

    def dialogue(self) -> str:
        """Two or three questions in a row, the later ones about the same or a related term."""
        entry, sentences = self.entry(), []
        for kind in self.rng.sample(("what", "how", "why", "example"), self.rng.randint(2, 3)):
            if kind not in answered(entry):
                continue
            sentences += [self.question(kind, entry), self.reply(kind, entry)]
            if self.rng.random() < 0.4:
                entry = self.by_term[self.rng.choice(entry.see_also)]
        return " ".join(sentences)

    def contrast(self) -> str:
        a, b = (self.by_term[term] for term in self.rng.choice(contrast_pairs()[0]))
        if self.rng.random() < 0.5:
            a, b = b, a
        question = self.rng.choice(CONTRASTS).format(a=a.subject, b=b.subject)
        return f"{self.typed(question)} {a.definition} {b.definition}"

    def prose(self) -> str:
        """An entry told as a paragraph."""
        entry = self.entry()
        rest = list(entry.details)
        self.rng.shuffle(rest)
        return " ".join([self.rng.choice(entry.definitions), *rest[: self.rng.randint(1, 3)]])

    def alias(self) -> str:
        entry = self.rng.choice([e for e in self.entries if e.aliases])
        alias = self.rng.choice(entry.aliases)
        question = self.rng.choice(("What is {}?", 'What does "{}" mean?')).format(alias)
        answer = f'"{capitalize(alias)}" is another name for {entry.subject}.'
        return f"{self.typed(question)} {answer} {entry.definition}"

    def not_covered(self) -> str:
        subject = self.rng.choice(NOT_COVERED)
        form = self.rng.choice(QUESTIONS[self.rng.choice(("what", "how", "why"))])
        term = subject.removeprefix("a ").removeprefix("an ").removeprefix("the ")
        question = form.format(subject=subject, term=term)
        return f"{self.typed(question)} My glossary has no entry for {subject}."

    def greeting(self) -> str:
        """What people type first."""
        said = self.typed(self.rng.choice(GREETINGS))
        return f"{said} {WELCOME}"

    def quote(self) -> str:
        """A conversation in which a sentence is said twice, word for word."""
        a, b = self.rng.sample(NAMES, 2)
        entry = self.entry()
        kind = self.rng.choice([k for k in answered(entry) if k != "related"])
        question, said = self.question(kind, entry), self.reply(kind, entry)
        return self.rng.choice((
            f'{a} asked {b}: "{question}" {b} answered: "{said}" {a} wrote down: "{said}"',
            f'{a} said: "{said}" {b} did not hear it. {a} said again: "{said}"',
            f"{question} {said} Please say that again. {said}",
        ))  # fmt: skip

    def copy_words(self) -> str:
        """Words in an order that means nothing, so that only copying can predict them."""
        words = " ".join(self.rng.choices(self.words, k=self.rng.randint(3, 22)))
        return self.rng.choice((f"Repeat: {words}. {words}.", f"{words} {words}",
                                f"Copy these words: {words}. Copy: {words}."))  # fmt: skip


def training_documents(n: int = N_DOCUMENTS, seed: int = SEED) -> list[str]:
    """The documents that the reference pair and its tokenizer are trained on."""
    writer = Writer(seed)
    return [writer.document() for _ in range(n)]


def text_hash(documents: list[str]) -> str:
    """Identifies a training text; the shipped weights carry the hash of theirs."""
    return hashlib.sha256("\n".join(documents).encode()).hexdigest()
