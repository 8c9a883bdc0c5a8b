// The orders of three engines, side by side: how many tokens each keeps with the same settings.

import { distribution } from "../../js/sample.js";
import { choice, button } from "../kit/controls.js";
import { element } from "../kit/element.js";
import { integer } from "../kit/numbers.js";
import { SAMPLE_ENGINES, SAMPLE_ORDERS, SAMPLE_STARTS } from "../shared.js";

/** The engine whose order this is, or undefined. */
const engineOf = (order) =>
  SAMPLE_ENGINES.find((_, i) => SAMPLE_ORDERS[i].join() === order.join());

/** How many tokens each engine keeps of these logits with these settings. */
export function keptByEngines({ data, ...settings }) {
  return SAMPLE_ORDERS.map((order) => {
    const { probabilities } = distribution(data.logits, { ...settings, order }, data.history);
    return probabilities.filter((p) => p > 0).length;
  });
}

/** `onOrder(order)` takes an engine's order, `onStart(settings)` the numbers it starts with. */
export function engineControl(onOrder, onStart) {
  const numbers = SAMPLE_ENGINES.map(() => element("span", { class: "op-share" }));
  const options = SAMPLE_ENGINES.map((name, i) =>
    ({ value: name, name, content: element("span", {}, name, numbers[i]) }));
  const { node: group, buttons, show: choose } = choice({
    label: "Order of an engine", options,
    onInput: (name) => onOrder(SAMPLE_ORDERS[SAMPLE_ENGINES.indexOf(name)]),
  });
  let current; // the engine whose order is set
  const start = button("Its start values", () =>
    current && onStart(SAMPLE_STARTS[SAMPLE_ENGINES.indexOf(current)]));
  const node = element("div", { class: "op-order-row" }, "Order of", group, start);
  const show = (order, kept) => {
    current = engineOf(order);
    choose(current);
    start.setAttribute("aria-disabled", String(current === undefined));
    kept.forEach((count, i) => {
      numbers[i].textContent = `${integer(count)} kept`;
      buttons[i].setAttribute("aria-label", `${SAMPLE_ENGINES[i]} ${integer(count)} kept`);
    });
  };
  return { node, show };
}
