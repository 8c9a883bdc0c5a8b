"""Questions that the reference model was trained to answer."""

import oneprompt as op
from oneprompt.corpus.documents import CANONICAL, ask

QUESTIONS = [ask(CANONICAL, entry) for entry in op.load_glossary()]  # one per term
