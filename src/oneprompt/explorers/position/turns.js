// Pictures of what RoPE turns: the chosen pair as an arrow, all pairs as small clocks.

import { angleAt, turn, pairCoordinates } from "../../js/position.js";
import { element, shape, picture } from "../kit/element.js";

const RADIUS = 40;

const at = ([x, y]) => `${x.toFixed(2)} ${(-y).toFixed(2)}`; // SVG counts y downwards

const stretched = (direction, length) => direction.map((x) => x * length);

function arrowPath(direction) {
  const tip = stretched(direction, RADIUS);
  const barb = (by) => at(stretched(turn(direction, by), 6).map((x, i) => x + tip[i]));
  return `M0 0L${at(tip)}M${barb(2.7)}L${at(tip)}L${barb(-2.7)}`;
}

/** A spiral from the arrow at position 0 to the turned one, further out with every turn. */
function spiral(start, angle) {
  const count = Math.max(2, Math.ceil(angle / 0.1));
  const points = Array.from({ length: count + 1 }, (_, i) => {
    const part = (i / count) * angle;
    return at(stretched(turn(start, part), 12 + (5 * part) / (2 * Math.PI)));
  });
  return `M${points.join("L")}`;
}

export function dial() {
  const [before, way, after] = ["before", "way", "after"].map(
    (kind) => shape("path", { class: `op-arrow-${kind}` }));
  const node = picture({ class: "op-dial", viewBox: "-46 -46 92 92" },
    shape("circle", { r: RADIUS }), before, way, after);
  const show = ({ queries, head, coordinates, angle }) => {
    const [a, b] = coordinates.map((i) => queries[head][i]);
    const start = [a, b].map((x) => x / Math.hypot(a, b)); // turning keeps the length
    before.setAttribute("d", arrowPath(start));
    after.setAttribute("d", arrowPath(turn(start, angle)));
    way.setAttribute("d", spiral(start, angle));
  };
  return { node, show };
}

/** All pairs as small clocks, and the coordinates of a head with an arc over each pair. */
export function pairsPicture() {
  const clocks = picture({ class: "op-clocks" });
  const arcs = picture({ class: "op-arcs" });
  const node = element("div", {}, clocks, arcs);
  const show = ({ frequencies, position, pair, pairing, coordinates }) => {
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
