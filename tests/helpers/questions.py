"""Questions that the reference model was trained to answer, and other training text."""

import oneprompt as op
from oneprompt.corpus.documents import CANONICAL, ask, training_documents

QUESTIONS = [ask(CANONICAL, entry) for entry in op.load_glossary()]  # one per term


def training_texts(n: int) -> list[str]:
    return [document.text for document in training_documents(n)]
