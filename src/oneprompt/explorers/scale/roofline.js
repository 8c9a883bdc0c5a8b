// The roofline: what a GPU can do per second, against the operations per byte that it is given.

import { element, shape } from "../kit/element.js";
import { integer, number } from "../kit/numbers.js";

const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM] = [340, 206, 42, 18, 40];
const X = [0.1, 1e4]; // FLOPs per byte
const Y = [0.02, 1e4]; // TFLOP per second
const TERA = 1e12;

const between = (value, [low, high]) => Math.log(value / low) / Math.log(high / low);
const x = (value) => LEFT + (WIDTH - LEFT - 6) * between(value, X);
const y = (value) => HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * between(value, Y);
const text = (words, at, height, anchor) =>
  shape("text", { x: at, y: height, "text-anchor": anchor }, words);
const line = (name, x1, y1, x2, y2) => shape("line", { class: name, x1, y1, x2, y2 });

/** The axes, with a line per factor of ten. */
function axes() {
  return [
    ...[1, 10, 100, 1000].flatMap((v) => [line("op-even", x(v), TOP, x(v), HEIGHT - BOTTOM),
      text(integer(v), x(v), HEIGHT - BOTTOM + 15, "middle")]),
    ...[0.1, 1, 10, 100, 1000].flatMap((v) => [line("op-even", LEFT, y(v), WIDTH, y(v)),
      text(v < 1 ? String(v) : integer(v), LEFT - 5, y(v) + 4, "end")]),
    line("op-axis", LEFT, HEIGHT - BOTTOM, WIDTH, HEIGHT - BOTTOM),
    text("TFLOP per second", 0, 11, "start"), text("FLOPs per byte", WIDTH, HEIGHT - 6, "end"),
  ];
}

/** The roof of one GPU and the passes under it: a dot for the plain one, a ring for the longer. */
export function roofline() {
  const node = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "op-roofline" });
  const show = ({ gpu, ridge, plain, longer }) => {
    const edge = [X[0], ridge, X[1]].map((intensity) =>
      `${x(intensity)},${y(Math.min(gpu.bandwidth * intensity, gpu.peak) / TERA)}`);
    const mark = (pass, kind, r) => shape("circle", { class: kind, r,
      cx: x(Math.max(X[0], Math.min(X[1], pass.intensity))), cy: y(pass.flops / pass.seconds / TERA) });
    node.replaceChildren(...axes(), line("op-ridge", x(ridge), TOP, x(ridge), HEIGHT - BOTTOM),
      shape("polyline", { class: "op-roof", points: edge.join(" ") }),
      mark(longer, "op-longer", 8), mark(plain, "op-plain", 5));
    node.setAttribute("aria-label", `The roofline of ${gpu.name}, with its ridge at `
      + `${number(ridge)} FLOPs per byte. The pass has ${number(plain.intensity)}.`);
  };
  return { node, show };
}

/** What the marks of the roofline and of the bars mean. */
export function legend() {
  const entries = [["op-plain-mark", "plain pass, one position per text"],
    ["op-longer-mark", "verifying pass, gamma + 1"]];
  return element("p", { class: "op-legend" }, ...entries.map(([kind, words]) => element("span", {},
    element("span", { class: `op-swatch ${kind}`, "aria-hidden": "true" }), words)));
}
