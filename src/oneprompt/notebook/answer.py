"""A field for an answer worked out by hand: typed and judged on the page or in a notebook's output.

The right answer and the causes are those of `oneprompt.checks`, handed over as data.
"""

from html import escape
from pathlib import Path

from ..checks.table import Table, tables
from ..js.bundle import bundle, function_body
from .markup import Device, script_json


class Answer(Device):
    """The field of one exercise by hand.

    Args:
        exercise: "chapter.exercise", for instance "attention.by_hand".
        labels: what each field asks for; without them, what the exercise's tables say.

    Raises:
        ValueError: there is no such exercise, its answer is a function, or the labels are not as
            many as its answers.
    """

    def __init__(self, exercise: str, *labels: str):
        self.exercise, self.tables = exercise, tables(exercise)
        self.labels = labels or tuple(_sentence(table.call) for table in self.tables)
        if len(self.labels) != len(self.tables):
            raise ValueError(
                f"{exercise!r} has {len(self.tables)} answers and {len(labels)} labels"
            )

    def html(self) -> str:
        rows = "".join(map(self._row, range(len(self.tables)), self.tables, self.labels))
        data = script_json([table.data() for table in self.tables])
        script = function_body(bundle(Path(__file__).with_name("answer.js")))
        return (
            f"<form class='op-device op-answer'>{rows}"
            f"<button data-lm-suppress-shortcuts='true'>Check</button>"
            f"<p class='op-verdict' role='status'></p>"
            f"<noscript><p>Checking needs JavaScript. The solution is below.</p></noscript>"
            f'<script type="application/json">{data}</script>\n'
            f"<script>\n(() => {{\n{script}}})()();\n</script></form>"
        )

    def _row(self, i: int, table: Table, label: str) -> str:
        name = f"{escape(self.exercise.replace('.', '-'))}-{i}"
        return (
            f"<label for='{name}'>{escape(label)}</label>"
            f"<input type='text' id='{name}' autocomplete='off' autocapitalize='off'"
            f" spellcheck='false' aria-describedby='{name}-form' data-lm-suppress-shortcuts='true'>"
            f"<small id='{name}-form'>{_form(table.data()['expected'])}</small>"
        )

    def __repr__(self) -> str:
        return "\n".join(f"{label}: ..." for label in self.labels)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _form(expected) -> str:
    """How an answer is written."""
    if not isinstance(expected, list):
        return "A number, such as 0.25 or 1/4."
    if isinstance(expected[0], str):
        return "The pieces, with spaces between them."
    return f"{len(expected)} numbers, with commas between them."
