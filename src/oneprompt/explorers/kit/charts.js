// What an explorer draws: bars, colored cells, line charts, lists of figures.

import { element, shape, picture } from "./element.js";

const COLOR_LEVELS = 20; // of opacity: finer than the eye tells apart in a small cell

/**
 * A horizontal bar from 0 to 100 %: an outline (before), a solid bar (after) and a mark (a share
 * observed, hidden while null). Decoration only: the same numbers are beside it as text.
 */
export function bar() {
  const [before, after, mark] = ["before", "after", "mark"].map(
    (name) => element("span", { class: `op-bar-${name}` }));
  const node = element("span", { class: "op-bar", "aria-hidden": "true" }, after, before, mark);
  const show = (shares) => {
    before.style.inlineSize = `${100 * shares.before}%`;
    after.style.inlineSize = `${100 * shares.after}%`;
    mark.hidden = shares.mark === null;
    if (!mark.hidden) mark.style.insetInlineStart = `${100 * shares.mark}%`;
  };
  return { node, show };
}

/** A list of names with their values: `show` takes [value, detail] per name, in order. */
export function facts(names) {
  const items = names.map((name) => {
    const value = element("span", { class: "op-value" });
    const detail = element("span", { class: "op-detail" });
    const node = element("div", {}, element("dt", {}, name), element("dd", {}, value, detail));
    return { node, value, detail };
  });
  const node = element("dl", { class: "op-statistics", "aria-live": "polite" },
    ...items.map((item) => item.node));
  const show = (...pairs) => pairs.forEach(([value, detail], i) => {
    items[i].value.textContent = value;
    items[i].detail.textContent = detail;
  });
  return { node, show };
}

/**
 * A matrix as a heatmap (notebook/style.py has its colors): clear at zero and solid from
 * `largest` on. `null` is an empty cell. One path per color keeps thousands of cells cheap.
 */
export function cells(className = "") {
  const node = picture({ class: `op-cells ${className}`, preserveAspectRatio: "none" });
  const show = (rows, largest) => {
    node.setAttribute("viewBox", `0 0 ${rows[0].length} ${rows.length}`);
    const paths = new Map();
    rows.forEach((row, y) => row.forEach((value, x) => {
      const level = Math.round(COLOR_LEVELS * Math.max(-1, Math.min(1, value / largest)));
      if (level !== 0) paths.set(level, `${paths.get(level) ?? ""}M${x} ${y}h1v1h-1z`);
    }));
    node.replaceChildren(...[...paths].map(([level, d]) => shape("path", {
      d, class: level < 0 ? "op-below" : "op-above", "fill-opacity": Math.abs(level) / COLOR_LEVELS,
    })));
  };
  return { node, show };
}

/** Two ends for an axis, on multiples of 1, 2 or 5 · 10^n, at least `least` apart. */
export function axisEnds(low, high, least = 1) {
  const span = Math.max(high - low, least);
  const power = 10 ** Math.floor(Math.log10(span));
  const step = [0.1, 0.2, 0.5, 1].map((part) => part * power).find((part) => span / part <= 6)
    ?? power;
  const middle = (low + high) / 2;
  return [Math.floor((middle - span / 2) / step) * step, Math.ceil((middle + span / 2) / step) * step];
}

/** An end of an axis, which is a round number: "16", "−0.5". */
const axisEnd = (value) => Number(value.toPrecision(3)).toLocaleString("en-US").replace("-", "−");

/**
 * Lines over 0, 1, 2, … up to `last`, with the ends of the axes as text.
 * `show(lines, [low, high], mark)`: lines are {values, kind}; the mark is [x, y] or null. If x
 * counts something else, a fourth argument holds its two ends.
 */
export function lineChart({ last, xLabel, className = "" }) {
  const plot = picture({ viewBox: `0 0 ${last} 1`, preserveAspectRatio: "none" });
  const diamond = element("span", { class: "op-bar-mark" });
  const [top, bottom, left, right] = [1, 2, 3, 4].map(() => element("span", {}));
  const node = element("div", { class: `op-chart ${className}`, "aria-hidden": "true" },
    element("div", { class: "op-chart-y" }, top, bottom),
    element("div", { class: "op-chart-plot" }, plot, diamond),
    element("div", { class: "op-chart-x" }, left, element("span", {}, xLabel), right));
  const show = (lines, [low, high], mark, xEnds = [0, last]) => {
    [left.textContent, right.textContent] = xEnds.map(axisEnd);
    const height = (value) => (high - value) / (high - low);
    [top.textContent, bottom.textContent] = [high, low].map(axisEnd);
    plot.replaceChildren(...lines.map(({ values, kind }) => shape("polyline", {
      class: `op-line-${kind}`,
      points: values.map((value, x) => `${x},${height(value).toFixed(4)}`).join(" "),
    })));
    diamond.hidden = mark === null;
    if (mark === null) return;
    diamond.style.insetInlineStart = `${(100 * mark[0]) / last}%`;
    diamond.style.insetBlockStart = `${100 * height(mark[1])}%`;
  };
  return { node, show };
}
