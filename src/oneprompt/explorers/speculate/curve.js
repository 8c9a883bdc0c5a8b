// What gamma costs: the curve of the speculation explorer.

import { shape } from "../kit/element.js";
import { SPECULATE_GAMMAS } from "../shared.js";

/** Speedup against gamma: a line from the formula, dots counted on this text. */
export function costCurve() {
  const [width, height, left, bottom] = [320, 190, 28, 36];
  const x = (gamma) => left + 12 + ((width - left - 24) * (gamma - 1)) / 9;
  const node = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "op-curve" });
  const label = (text, at, y, anchor) => shape("text", { x: at, y, "text-anchor": anchor }, text);
  const show = ({ curves, alpha, gamma, cost }) => {
    const [expected, counted] = curves;
    const share = alpha.toFixed(2);
    const top = Math.max(2, Math.ceil(Math.max(...expected, ...counted)));
    const y = (value) => height - bottom - ((height - bottom - 22) * value) / top;
    const points = expected.map((value, i) => `${x(SPECULATE_GAMMAS[i])},${y(value)}`).join(" ");
    node.replaceChildren(
      label("speedup", left, 11, "start"),
      label(`line: theory, α ${share}; dots: this text`, width, 11, "end"),
      label("gamma", width, height - 2, "end"),
      ...[0, 1, top].map((v) => label(v, left - 6, y(v) + 4, "end")),
      ...SPECULATE_GAMMAS.map((g) => label(g, x(g), height - bottom + 16, "middle")),
      ...[0, 1].map((v) => shape("line", { x1: left, x2: width, y1: y(v), y2: y(v),
        class: v ? "op-even" : "op-axis" })),
      shape("polyline", { points, class: "op-line" }),
      ...counted.map((value, i) => shape("circle", { cx: x(SPECULATE_GAMMAS[i]), cy: y(value),
        r: SPECULATE_GAMMAS[i] === gamma ? 6 : 3, class: "op-dot" })));
    const at = (curve) => curve[gamma - 1].toFixed(2);
    node.setAttribute("aria-label", `Speedup against gamma for c = ${cost.toFixed(2)} and `
      + `alpha = ${share}. At gamma ${gamma} the formula expects ${at(expected)}, `
      + `counted on this text ${at(counted)}.`);
  };
  return { node, show };
}
