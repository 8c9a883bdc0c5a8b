// The activation functions as curves: read at a number, and drawn with the chosen unit on one.

import { facts, lineChart } from "../kit/charts.js";
import { choice } from "../kit/controls.js";
import { element, picture, shape } from "../kit/element.js";
import { fixed } from "../kit/numbers.js";

const FUNCTIONS = { relu: "ReLU", gelu: "GELU", gelu_tanh: "GELU, tanh", silu: "SiLU" };

/** A curve of `count` + 1 points from -reach to reach, read at z: exact wherever it is straight. */
function valueAt(values, reach, z) {
  const last = values.length - 1;
  const x = Math.max(0, Math.min(last, ((z / reach + 1) / 2) * last));
  const i = Math.min(Math.floor(x), last - 1);
  return values[i] + (x - i) * (values[i + 1] - values[i]);
}

/** The shortest of the curves that reaches z. */
export const curveFor = (curves, z) => curves.find(({ reach }) => Math.abs(z) <= reach) ?? curves.at(-1);

export const outputOf = (curves, z, name) => valueAt(curveFor(curves, z)[name], curveFor(curves, z).reach, z);

/** A histogram of the inputs, under the curve and on its axis, in bins of 0.5. */
function inputCounts() {
  const node = picture({ class: "op-ff-counts", preserveAspectRatio: "none" });
  const show = ({ inputs, curve: { reach } }) => {
    const counts = new Array(4 * reach).fill(0);
    for (const z of inputs) {
      const bin = Math.floor(2 * z) + 2 * reach;
      if (bin >= 0 && bin < counts.length) counts[bin] += 1;
    }
    const most = Math.max(...counts, 1);
    node.setAttribute("viewBox", `0 0 ${counts.length} ${most}`);
    node.replaceChildren(...counts.map((count, x) => shape("rect", { x: x + 0.06, y: most - count,
      width: 0.88, height: count, class: x < 2 * reach ? "op-ff-silent" : "op-above" })));
  };
  return { node, show };
}

/** The activation function with the chosen unit on it. */
export function curvePanel({ curves }, change) {
  const functions = choice({ label: "Activation function",
    options: Object.entries(FUNCTIONS).map(([value, name]) => ({ value, name })),
    onInput: (activation) => change({ activation }) });
  const chart = lineChart({ last: curves[0].relu.length - 1, xLabel: "match z", className: "op-ff-chart" });
  const counts = inputCounts();
  const figures = facts(["Match z", "Bent", "In this model"]);
  const title = element("p", { class: "op-title op-ff-title" });
  const node = element("div", { class: "op-ff-curve" }, title, functions.node, chart.node, counts.node,
    element("p", { class: "op-detail" }, "bars: how many units match so well; blue above 0"),
    figures.node);
  const show = (measured) => {
    const { activation, own, curve, z, output, hidden, unit } = measured;
    const { reach } = curve;
    title.textContent = `Unit ${unit} on the curve`;
    functions.show(activation);
    const lines = Object.keys(FUNCTIONS).filter((name) => name !== activation)
      .map((name) => ({ values: curve[name], kind: "other" }));
    const at = Math.max(-reach, Math.min(reach, z)); // beyond the longest axis: at its end
    chart.show([...lines, { values: curve[activation], kind: "now" }], [-reach / 8, reach],
      [((at / reach + 1) / 2) * (curve.relu.length - 1), Math.min(output, reach)], [-reach, reach]);
    counts.show(measured);
    figures.show([fixed(z, 2), `unit ${unit}`], [fixed(output, 2), FUNCTIONS[activation]],
      [fixed(hidden[unit], 2), FUNCTIONS[own]]);
  };
  return { node, show };
}
