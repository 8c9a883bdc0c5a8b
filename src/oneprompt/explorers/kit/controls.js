// What a reader moves: sliders, buttons, choices.

import { element } from "./element.js";

/** `steps(0, 2, 0.05)` -> [0, 0.05, …, 2], without the rounding errors of repeated addition. */
export function steps(first, last, step) {
  const count = Math.round((last - first) / step) + 1;
  return Array.from({ length: count }, (_, i) => Number((first + i * step).toFixed(6)));
}

/**
 * A labeled slider over the values `stops`; `describe(value)` is the text shown and announced.
 * A value set from Python may lie between two stops: its text is exact, the thumb at the nearest.
 */
export function slider({ label, stops, describe, onInput }) {
  const value = element("span", { class: "op-value" });
  // JupyterLab would take the arrow keys for moving between cells.
  const input = element("input", {
    type: "range", min: 0, max: stops.length - 1, step: 1,
    "aria-label": label, "data-lm-suppress-shortcuts": "true",
  });
  input.addEventListener("input", () => onInput(stops[input.valueAsNumber]));
  const node = element("label", { class: "op-slider" }, label, value, input);
  const show = (current) => {
    const distance = stops.map((stop) => Math.abs(stop - current));
    input.value = distance.indexOf(Math.min(...distance));
    value.textContent = describe(current);
    input.setAttribute("aria-valuetext", describe(current));
  };
  return { node, show };
}

export function button(text, onClick) {
  const node = element("button", { type: "button", "data-lm-suppress-shortcuts": "true" }, text);
  node.addEventListener("click", onClick);
  return node;
}

/**
 * A group of buttons of which one is chosen, with the keys of radio buttons: arrows, Home, End.
 * `options` are {value, name, content}: what it means, what it is called, what it shows. With
 * `columns` the buttons form a table: up and down move by a row.
 */
export function choice({ label, options, columns = 1, onInput }) {
  const buttons = options.map(({ value, name, content = name }) => {
    const node = button("", () => onInput(value));
    node.append(content);
    node.setAttribute("role", "radio");
    if (content !== name) node.setAttribute("aria-label", name);
    return node;
  });
  const node = element("div", { class: "op-choice", role: "radiogroup", "aria-label": label },
    ...buttons);
  const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns,
    Home: -Infinity, End: Infinity };
  node.addEventListener("keydown", (event) => {
    const from = buttons.indexOf(event.target.closest("button"));
    if (!(event.key in STEPS) || from < 0) return;
    event.preventDefault();
    const step = STEPS[event.key];
    const end = step < 0 ? 0 : buttons.length - 1;
    const to = Number.isFinite(step) ? from + step : end;
    if (buttons[to] === undefined) return;
    buttons[to].focus();
    onInput(options[to].value);
  });
  const show = (current) => {
    const chosen = options.findIndex(({ value }) => value === current);
    buttons.forEach((each, i) => {
      each.setAttribute("aria-checked", String(i === chosen));
      each.tabIndex = i === Math.max(chosen, 0) ? 0 : -1; // Tab enters at the chosen one
    });
  };
  return { node, buttons, show };
}

/** A list to open of which one is chosen; `show` takes its {value, name} and the chosen value. */
export function menu({ label, onInput }) {
  const node = element("select", { "aria-label": label, "data-lm-suppress-shortcuts": "true" });
  node.addEventListener("change", () => onInput(node.value));
  const show = (options, current) => {
    node.replaceChildren(...options.map(({ value, name }) => {
      const option = element("option", { value }, name);
      option.selected = value === current;
      return option;
    }));
    node.hidden = options.length === 0;
  };
  return { node, show };
}

/** Buttons that go through the passes of a generation; `onMove` takes the number of the next one. */
export function passButtons(onMove) {
  let [step, last] = [1, 1];
  const moves = [["Next pass", () => step + 1], ["Back", () => step - 1],
    ["To the end", () => last], ["Reset", () => 1]];
  const buttons = moves.map(([name, to]) =>
    button(name, () => onMove(Math.max(1, Math.min(last, to())))));
  const node = element("div", { class: "op-buttons op-passes", role: "group", "aria-label": "Passes" },
    ...buttons);
  const show = (current, end) => {
    [step, last] = [current, end];
    buttons.forEach((each, i) => each.setAttribute("aria-disabled", step === (i % 2 ? 1 : last)));
  };
  return { node, show };
}
