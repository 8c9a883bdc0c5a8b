// The playground's panels of steps 3 and 5: the turns of the tokens, and the units of the last one.

import { angleAt, turn } from "../../js/position.js";
import { cells } from "../kit/charts.js";
import { element, picture, shape, tokenElement } from "../kit/element.js";
import { integer } from "../kit/numbers.js";

const UNITS_A_ROW = 64;

/** A clock per token, a hand for each of the speeds. */
export function turns() {
  const node = element("ol", { class: "op-turns", "aria-label": "Turns" });
  const clock = (t, speeds) => picture({ viewBox: "-1.1 -1.1 2.2 2.2" },
    shape("circle", { r: 1 }),
    ...speeds.map((speed, i) => {
      const [x, y] = turn([1 - 0.25 * i, 0], angleAt(t, speed));
      return shape("path", { class: `op-hand-${i}`, d: `M0 0L${x.toFixed(3)} ${(-y).toFixed(3)}` });
    }));
  const show = ({ ids, speeds }, vocabulary) => node.replaceChildren(...ids.map((id, t) =>
    element("li", {}, clock(t, speeds), tokenElement(vocabulary[id]))));
  return { node, show };
}

/** All units of the last token in the last block, and how many of them are on. */
export function units() {
  const [map, line] = [cells("op-units"), element("p", { class: "op-status" })];
  const node = element("div", {}, map.node, line);
  const show = ({ hidden, ids }, vocabulary) => {
    const rows = Array.from({ length: Math.ceil(hidden.length / UNITS_A_ROW) },
      (_, i) => hidden.slice(i * UNITS_A_ROW, (i + 1) * UNITS_A_ROW));
    rows.at(-1).push(...new Array(rows[0].length - rows.at(-1).length).fill(0));
    map.show(rows, hidden.reduce((most, value) => Math.max(most, value), 1e-9));
    const on = hidden.filter((value) => value > 0).length;
    line.replaceChildren("At ", tokenElement(vocabulary[ids.at(-1)]),
      `, ${integer(on)} of ${integer(hidden.length)} units are on in the last block.`);
  };
  return { node, show };
}
