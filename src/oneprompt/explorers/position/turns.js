// Pictures of what RoPE turns: the chosen pair as two arrows, all pairs as small clocks.

import { angleAt, turn, pairCoordinates } from "../../js/position.js";
import { element, shape, picture } from "../kit/element.js";

const RADIUS = 40;

const at = ([x, y]) => `${x.toFixed(2)} ${(-y).toFixed(2)}`; // SVG counts y downwards

const stretched = (direction, length) => direction.map((x) => x * length);

function arrowPath(direction) {
  const tip = stretched(direction, RADIUS);
  const size = 6 / (Math.hypot(...direction) || 1);
  const barb = (by) => at(stretched(turn(direction, by), size).map((x, i) => x + tip[i]));
  return `M0 0L${at(tip)}M${barb(2.7)}L${at(tip)}L${barb(-2.7)}`;
}

/**
 * Pair i of the query and the key, each before and after its turn, and their part of the score.
 * `arrows` are {query, key}: [coordinates, position] of each.
 */
export function turnedPair(arrows, i, frequency, { frequencies, pairing }) {
  const places = pairCoordinates(i, frequencies.length, pairing);
  const [query, key] = [arrows.query, arrows.key].map(([coordinates, position]) => {
    const before = places.map((place) => coordinates[place]);
    return { position, before, after: turn(before, angleAt(position, frequency)) };
  });
  const product = query.after[0] * key.after[0] + query.after[1] * key.after[1];
  return { query, key, part: product / Math.sqrt(arrows.query[0].length) };
}

/** The chosen pair of the query and of the key as arrows, before and after their turns. */
export function dial() {
  const names = ["query", "key"];
  const paths = names.map((name) => ["before", "after"].map(
    (when) => shape("path", { class: `op-arrow-${name} op-arrow-${when}` })));
  const texts = names.map(() => element("span", {}));
  const swatch = (kind) => element("span", { class: `op-swatch op-swatch-${kind}`, "aria-hidden": "true" });
  const node = element("div", {},
    picture({ class: "op-dial", viewBox: "-46 -46 92 92" }, shape("circle", { r: RADIUS }),
      ...paths.flat()),
    element("p", { class: "op-legend op-detail" },
      ...names.map((name, i) => element("span", {}, swatch(name), texts[i])),
      element("span", {}, swatch("plain"), "before the turn")));
  const show = ({ pairs, pair }) => {
    const both = names.map((name) => pairs[pair][name]);
    const longest = Math.max(...both.map(({ before }) => Math.hypot(...before))) || 1;
    both.forEach(({ position, before, after }, i) => {
      [before, after].forEach((tip, n) =>
        paths[i][n].setAttribute("d", arrowPath(tip.map((x) => x / longest))));
      texts[i].textContent = `${names[i]} at ${position}`;
    });
  };
  return { node, show };
}

/** Bars up and down from a middle line, one for each pair: its part of the score. */
function partsPicture() {
  const node = picture({ class: "op-parts", preserveAspectRatio: "none" });
  const show = ({ pairs, pair }) => {
    const most = Math.max(...pairs.map(({ part }) => Math.abs(part))) || 1;
    node.setAttribute("viewBox", `0 -1 ${pairs.length} 2`);
    node.replaceChildren(...pairs.map(({ part }, i) => shape("rect", {
      x: i + 0.2, y: -Math.max(part, 0) / most, width: 0.6, height: Math.abs(part) / most,
      class: `${part < 0 ? "op-below" : "op-above"}${i === pair ? " op-chosen" : ""}`,
    })));
  };
  return { node, show };
}

/** All pairs as small clocks with their parts of the score, and their coordinates with arcs. */
export function pairsPicture() {
  const clocks = picture({ class: "op-clocks" });
  const arcs = picture({ class: "op-arcs" });
  const parts = partsPicture();
  const node = element("div", {}, clocks, parts.node, arcs);
  const show = (state) => {
    const { frequencies, position, pair, pairing, coordinates } = state;
    parts.show(state);
    const pairs = frequencies.length;
    clocks.setAttribute("viewBox", `0 0 ${pairs} 1`);
    clocks.replaceChildren(...frequencies.map((frequency, i) => {
      const [x, y] = turn([0.4, 0], angleAt(position, frequency));
      return shape("g", { class: i === pair ? "op-chosen" : "" },
        shape("circle", { cx: i + 0.5, cy: 0.5, r: 0.42 }),
        shape("path", { d: `M${i + 0.5} 0.5l${x.toFixed(3)} ${(-y).toFixed(3)}` }));
    }));
    arcs.setAttribute("viewBox", `0 0 ${2 * pairs} 5`);
    const square = (i) => shape("rect", { x: i + 0.1, y: 4.1, width: 0.8, height: 0.8,
      class: coordinates.includes(i) ? "op-chosen" : "" });
    const arc = (i) => {
      const [a, b] = pairCoordinates(i, pairs, pairing);
      const height = pairing === "halves" ? 3.4 : 2;
      return shape("path", { class: i === pair ? "op-chosen" : "",
        d: `M${a + 0.5} 4C${a + 0.5} ${4 - height * 1.3} ${b + 0.5} ${4 - height * 1.3} ${b + 0.5} 4` });
    };
    const order = frequencies.map((_, i) => i).filter((i) => i !== pair).concat(pair);
    arcs.replaceChildren(...order.map(arc), ...Array.from({ length: 2 * pairs }, (_, i) => square(i)));
  };
  return { node, show };
}
