// Judges what a reader has typed into an answer field: see answer.py for the field, and
// checks/table.py for the tables, of which this is the page's side.

const MINUS = /[−–]/g;

/** "0.25", "−3" or "1/4" as a number; NaN for anything else. */
export function parseNumber(text) {
  const parts = text.trim().replace(MINUS, "-").split("/");
  if (parts.length > 2 || parts.some((part) => part.trim() === "")) return NaN;
  return parts.map(Number).reduce((top, bottom) => top / bottom);
}

/** What was typed, in the form of the right answer. */
export function parse(text, expected) {
  if (!Array.isArray(expected)) return parseNumber(text);
  const inner = text.trim().replace(/^[([]|[)\]]$/g, "");
  if (typeof expected[0] === "string") {
    return inner.split(/[\s,|]+/).map((piece) => piece.replace(/^["'“”]|["'“”]$/g, ""))
      .filter((piece) => piece !== "");
  }
  return inner.split(inner.includes(",") ? "," : /\s+/).map(parseNumber);
}

function equal(a, b, tolerance) {
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a)) {
    return a.length === b.length && a.every((each, i) => equal(each, b[i], tolerance));
  }
  // As torch.allclose in checks: absolute, and a little relative.
  return typeof a === "string" ? a === b : Math.abs(a - b) <= tolerance + 1e-5 * Math.abs(b);
}

/** {status: "right" | "wrong" | "unread" | "empty", message} for one answer. */
export function judge({ call, expected, causes, tolerance }, text) {
  if (text.trim() === "") return { status: "empty", message: `Type an answer: ${call}.` };
  const got = parse(text, expected);
  if ([got].flat().some(Number.isNaN)) {
    return { status: "unread", message: `“${text.trim()}” cannot be read as a number.` };
  }
  if (equal(got, expected, tolerance)) return { status: "right", message: "Right." };
  const cause = causes.find(([wrong]) => equal(got, wrong, tolerance));
  if (cause) return { status: "wrong", message: `Not yet. Likely cause: ${cause[1]}.` };
  if (typeof expected[0] === "string" && got.join("") !== expected.join("")) {
    return { status: "wrong", message: `Not yet. Your pieces spell “${got.join("")}”.` };
  }
  if (Array.isArray(expected) && got.length !== expected.length) {
    return { status: "wrong",
      message: `Not yet. These are ${got.length} numbers, and ${expected.length} are asked for.` };
  }
  return { status: "wrong", message: "Not yet. Work through it once more, one step at a time." };
}

function answer(form) {
  const tables = JSON.parse(form.querySelector('script[type="application/json"]').textContent);
  const fields = [...form.querySelectorAll("input")];
  const shown = form.querySelector(".op-verdict");
  const verdicts = tables.map((table, i) => judge(table, fields[i].value));
  fields.forEach((field, i) =>
    field.setAttribute("aria-invalid", String(verdicts[i].status !== "right")));
  const first = verdicts.find(({ status }) => status !== "right") ?? verdicts[0];
  shown.dataset.status = first.status;
  shown.textContent = `${first.status === "right" ? "✓" : "○"} ${first.message}`;
}

/** Listens once for all fields: a notebook runs this before, or after, it shows the output. */
export default function listen() {
  if (window.onePromptAnswers) return;
  window.onePromptAnswers = true;
  document.addEventListener("submit", (event) => {
    const form = event.target.closest(".op-answer");
    if (!form) return;
    event.preventDefault();
    answer(form);
  });
  document.addEventListener("keydown", (event) => { // JupyterLab keeps Enter from submitting
    const field = event.target.closest?.(".op-answer input");
    if (!field || event.key !== "Enter") return;
    event.preventDefault();
    field.form.requestSubmit();
  }, true);
}
