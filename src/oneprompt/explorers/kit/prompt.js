// The line for a reader's own prompt, and explorers that are built anew for each.

import { element } from "./element.js";
import { watch, valuesOf } from "./traits.js";

/**
 * A line for the reader's own prompt. Python computes it in a notebook, on a static page the model in
 * the page does (see twin.js); both answer through the traits `prompt` and `notice`.
 */
export function promptForm(widget) {
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
    widget.set("notice", input.value === "" ? "The prompt is empty: type a question." : "");
    widget.set("asked", ""); // so that the same text again is a change, too
    widget.set("asked", input.value);
    widget.save_changes();
  });
  input.value = widget.get("prompt");
  const show = () => { notice.textContent = widget.get("notice"); };
  return { node: element("div", {}, form, notice), show };
}

/**
 * Draws an explorer that is built anew for every prompt, which is when the trait `data` changes:
 * `build(widget, state)` gives {nodes, show}, and `show` takes what `measure(state)` makes of `traits`.
 */
export function renderPerPrompt({ widget, el, label, kind = "", traits, data, build, measure }) {
  const ask = promptForm(widget);
  const body = element("div", {});
  let [drawn, view] = [null, null];
  const redraw = () => {
    const state = valuesOf(widget, traits);
    if (state[data] !== drawn) {
      drawn = state[data];
      view = build(widget, state);
      body.replaceChildren(...view.nodes);
    }
    view.show(measure(state));
    ask.show();
  };
  // First, since a part may scroll, which it can only where it has a size.
  el.append(element("section", { class: `op-explorer ${kind}`.trim(), "aria-label": label },
    ask.node, body));
  redraw();
  return watch(widget, traits, redraw);
}
