// The line for a reader's own prompt, and explorers that are rebuilt for each.

import { EMPTY_PROMPT } from "../shared.js";
import { element } from "./element.js";
import { setTraits, valuesOf, watch } from "./traits.js";

/**
 * A line for the reader's own prompt, with messages about it. Python computes it in a notebook,
 * the model in the page on a static page (see twin.js); both answer through the traits
 * `prompt`, `notice` and `busy`. Returns {node, form, end}.
 */
export function promptLine(widget) {
  const input = element("input", {
    type: "text", "aria-label": "Your prompt", autocomplete: "off", spellcheck: "false", dir: "auto",
    "data-lm-suppress-shortcuts": "true",
  });
  input.addEventListener("input", () => widget.set("notice", ""));
  const run = element("button", { type: "submit", "data-lm-suppress-shortcuts": "true" }, "Run");
  const notice = element("p", { class: "op-notice", role: "status" });
  const form = element("form", { class: "op-ask" }, input, run);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    widget.set("asked", ""); // so that the same text, run again, is a change, too
    setTraits(widget, { notice: input.value === "" ? EMPTY_PROMPT : "", asked: input.value });
  });
  input.value = widget.get("prompt");
  const show = () => {
    notice.textContent = widget.get("notice");
    form.setAttribute("aria-busy", String(widget.get("busy")));
  };
  show();
  return { node: element("div", {}, form, notice), form, end: watch(widget, ["notice", "busy"], show) };
}

/**
 * Draws an explorer that is rebuilt for every prompt, that is, whenever the trait `data` changes:
 * `build(widget, state)` gives {nodes, show}, and `show` takes what `measure(state)` makes of the
 * traits named in `traits`. Returns the function that ends it.
 */
export function renderPerPrompt({ widget, el, label, kind = "", traits, build, measure }) {
  const ask = promptLine(widget);
  const body = element("div", {});
  let [drawn, view] = [null, null];
  const redraw = () => {
    const state = valuesOf(widget, ["data", ...traits]);
    if (state.data !== drawn) {
      drawn = state.data;
      view = build(widget, state);
      body.replaceChildren(...view.nodes);
    }
    view.show(measure(state));
  };
  // First, since a part may scroll, which it can only where it has a size.
  el.append(element("section", { class: `op-explorer ${kind}`.trim(), "aria-label": label },
    ask.node, body));
  redraw();
  const unwatch = watch(widget, ["data", ...traits], redraw);
  return () => [ask.end, unwatch].forEach((end) => end());
}
