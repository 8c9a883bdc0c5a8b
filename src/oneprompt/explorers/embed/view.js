// The embed explorer: see EmbedExplorer in explorer.py for the state.

import { bar, facts, cells } from "../kit/charts.js";
import { button, choice } from "../kit/controls.js";
import { element, shape, picture, tokenText, tokenElement } from "../kit/element.js";
import { languageModel } from "../kit/language_model.js";
import { percent, integer, fixed } from "../kit/numbers.js";
import { promptLine } from "../kit/prompt.js";
import { setTraits, valuesOf, watch } from "../kit/traits.js";
import { DIGIT_BASE, EMBED_SHADES } from "../shared.js";
import { known, knowing, compute } from "./state.js";

const STATE = ["token", "data", "chance"];
const MARGIN = 40; // around the map, in its own units
const LABEL = { character: 7.3, height: 15, gap: 7 }; // of a label, in pixels

const numberOf = (digits) => parseInt(digits, DIGIT_BASE);

/** A row from its digits, as fractions of `largest`. */
const rowOf = (digits) => Array.from(digits, (digit) => numberOf(digit) / EMBED_SHADES - 1);

/** The place of a token on the map. */
const placeOf = ({ points }, id) =>
  [4 * id, 4 * id + 2].map((at) => numberOf(points.slice(at, at + 2)));

/** A row as colored cells, redrawn only for another row. */
function strip() {
  const { node, show } = cells("op-embed-strip");
  let drawn = null;
  return { node, show: (row) => { if (drawn !== row) show([rowOf(drawn = row)], 1); } };
}

const legendEntry = (kind, text) => element("span", {},
  element("span", { class: `op-swatch ${kind}`, "aria-hidden": "true" }), text);

/** The matrix of the prompt, a row per token; each row can be chosen. */
function promptRows({ ids, texts, rows }, walk) {
  let last = 0; // where the reader chose it: a token that occurs twice has one row in the table
  const all = choice({ label: "Token",
    options: ids.map((id, value) => {
      const row = strip();
      row.show(rows[id]);
      return { value, name: `position ${value}: ${tokenText(texts[id])}, id ${id}`,
        content: element("span", { class: "op-embed-row" }, tokenElement(texts[id]), row.node,
          element("span", { class: "op-embed-end" }, `${id}`)) };
    }),
    onInput: (position) => walk(ids[last = position]) });
  all.node.classList.add("op-embed-rows");
  const show = (token) => all.show(ids[last] === token ? last : ids.indexOf(token));
  return { node: all.node, show };
}

/** The same, rebuilt for every prompt. */
function ownRows(walk) {
  const node = element("div", {});
  let [ids, rows] = [null, null];
  const show = ({ data, token }) => {
    if (`${data.ids}` !== ids) { // another prompt: a walk adds to the data and keeps the ids
      ids = `${data.ids}`;
      rows = promptRows(data, walk);
      node.replaceChildren(rows.node);
    }
    rows.show(token);
  };
  return { node, show };
}

/** One of the nearest rows, with its cosine; pressing it goes there. */
function neighborLine(walk) {
  let goal = null;
  const [name, row, track] = [element("span", {}), strip(), bar()];
  const end = element("span", { class: "op-embed-end op-value" });
  const node = button("", () => walk(goal));
  node.append(element("span", { class: "op-embed-row" }, name, element("span", {}, row.node, track.node), end));
  const show = ([id, cosine], { data: { texts, rows }, chance }) => {
    goal = id;
    name.replaceChildren(tokenElement(texts[id]));
    row.show(rows[id]);
    track.show({ before: chance, after: Math.max(0, cosine), mark: null });
    end.textContent = fixed(cosine, 2);
    node.classList.toggle("op-embed-noise", cosine <= chance);
    node.setAttribute("aria-label", `${tokenText(texts[id])}, cosine ${fixed(cosine, 2)}`);
  };
  return { node, show };
}

/** The chosen row above its nearest rows. */
function neighborRows(count, walk) {
  const [title, name, row] = [element("span", { "aria-live": "polite" }), element("span", {}), strip()];
  const end = element("span", { class: "op-embed-end" });
  const lines = Array.from({ length: count }, () => neighborLine(walk));
  const node = element("div", { class: "op-embed-near" },
    element("p", { class: "op-title" }, "Nearest to ", title),
    element("p", { class: "op-embed-row op-embed-chosen" }, name, row.node, end),
    element("ol", { class: "op-embed-rows", "aria-label": "Nearest rows" },
      ...lines.map((line) => element("li", {}, line.node))),
    element("p", { class: "op-legend" },
      legendEntry("op-bar-after", "cosine"), legendEntry("op-bar-before", "the nearest by chance")));
  const show = (measured) => {
    const { token, near, data: { texts, rows } } = measured;
    for (const each of [title, name]) each.replaceChildren(tokenElement(texts[token]));
    row.show(rows[token]);
    end.textContent = `${token}`;
    near.forEach((each, i) => lines[i].show(each, measured));
  };
  return { node, show };
}

/** The first free place beside a point for a label `width` wide, or none. */
function freePlace([x, y], width, taken, [right, bottom], sides) {
  const { height, gap } = LABEL;
  const places = [[x + gap, y - height / 2], [x - gap - width, y - height / 2],
    [x - width / 2, y - gap - height], [x - width / 2, y + gap]].slice(0, sides);
  return places.find(([left, top]) =>
    left >= 0 && top >= 0 && left + width <= right && top + height <= bottom
      && taken.every(([l, t, w, h]) => left >= l + w || l >= left + width || top >= t + h || t >= top + height));
}

/** The names on the map, the most important first, each only where it collides with nothing. */
function mapNames(map, landmarks, scale) {
  const node = element("div", {});
  const show = ({ token, near, data: { ids, texts } }, size) => {
    const pixels = (id) => placeOf(map, id).map((at) => scale(at, size));
    const taken = [];
    const name = (id, text, sides, className = "") => {
      const length = LABEL.character * Array.from(tokenText(text)).length;
      const free = freePlace(pixels(id), length, taken, size, sides);
      if (!free) return [];
      taken.push([...free, length, LABEL.height]);
      const label = element("span", { class: className }, tokenElement(text));
      label.style.inset = `${free[1]}px auto auto ${free[0]}px`;
      return [label];
    };
    const chosen = name(token, texts[token], 4, "op-value"); // even over a neighbor's dot
    const others = [...new Set([...near.map(([id]) => id), ...ids])].filter((id) => id !== token);
    taken.push(...[token, ...others].map(pixels).map(([x, y]) => [x - 4, y - 4, 8, 8]));
    node.replaceChildren(...chosen, ...others.flatMap((id) => name(id, texts[id], 4)),
      ...landmarks.flatMap(([id, text]) => name(id, text, 1, "op-embed-landmark")));
  };
  return { node, show };
}

/** The plane in which the table spreads most, with all rows. */
function mapPicture(map, landmarks) {
  const kinds = Object.fromEntries(["cloud", "ways", "prompt", "near", "chosen"].map(
    (kind) => [kind, shape("path", { class: `op-embed-${kind}` })]));
  const [width, height] = [map.width + 2 * MARGIN, map.height + 2 * MARGIN];
  const plot = picture({ viewBox: `${-MARGIN} ${-MARGIN} ${width} ${height}` }, ...Object.values(kinds));
  const names = mapNames(map, landmarks, (at, size) => ((at + MARGIN) * size[0]) / width);
  const node = element("div", { class: "op-embed-map", "aria-hidden": "true" }, plot, names.node);
  node.style.aspectRatio = `${width} / ${height}`;
  const at = (id) => placeOf(map, id).join(" ");
  const draw = (kind, ids, path = (id) => `M${at(id)}h0`) => kinds[kind].setAttribute("d", ids.map(path).join(""));
  draw("cloud", Array.from({ length: map.points.length / 4 }, (_, id) => id));
  let shown = null;
  const write = () => { // for another width as well, since names keep their size
    if (shown && node.clientWidth > 0) names.show(shown, [node.clientWidth, node.clientHeight]);
  };
  const show = (measured) => {
    shown = measured;
    const others = measured.near.map(([id]) => id);
    draw("ways", others, (id) => `M${at(measured.token)}L${at(id)}`);
    draw("prompt", measured.data.ids);
    draw("near", others);
    draw("chosen", [measured.token]);
    write();
  };
  return { node, show, write };
}

/** Goes to a token. On a page without a kernel the model in the page finds unknown neighbors. */
function walker(widget) {
  let wanted = null;
  return async (token) => {
    wanted = token;
    try {
      if (!widget.page || known(widget.get("data"), token)) {
        setTraits(widget, { token });
        return;
      }
      widget.set("notice", "");
      const lm = await languageModel(widget);
      const before = widget.get("data");
      const data = await knowing(lm, [token], before, widget.get("largest"));
      if (wanted === token && widget.get("data") === before) setTraits(widget, { data, token });
    } catch (error) {
      widget.set("notice", error.message);
    }
  };
}

/** What is shown of the chosen row: its neighbors, the map and the figures. */
function chosenRow(widget, walk) {
  const map = widget.get("map");
  const near = neighborRows(Object.values(widget.get("data").nearest)[0].length, walk);
  const plane = mapPicture(map, widget.get("landmarks"));
  const figures = facts(["Nearest row", "Nearest by chance", "Map keeps"]);
  const dot = (kind) => legendEntry(`op-embed-dot op-embed-${kind}`, kind);
  const node = element("div", { class: "op-embed-two" }, near.node, element("div", {},
    element("p", { class: "op-title" }, `All ${integer(map.points.length / 4)} rows on two axes`),
    plane.node, element("p", { class: "op-legend" }, dot("chosen"), dot("near"), dot("prompt"))));
  const show = (measured) => {
    near.show(measured);
    plane.show(measured);
    figures.show([fixed(measured.near[0][1], 2), "cosine"], [fixed(measured.chance, 2), "shuffled"],
      [percent(map.kept), "of the spread"]);
  };
  return { nodes: [node, figures.node], plane, show };
}

export default {
  compute,
  render({ model: widget, el }) {
    const walk = walker(widget);
    const ask = promptLine(widget);
    const [own, chosen] = [ownRows(walk), chosenRow(widget, walk)];
    const width = Object.values(widget.get("data").rows)[0].length;
    const redraw = () => {
      const state = valuesOf(widget, STATE);
      own.show(state);
      const near = state.data.nearest[state.token]; // in a notebook Python adds it a moment later
      if (near) chosen.show({ ...state, near });
    };
    redraw();
    el.append(element("section", { class: "op-explorer", "aria-label": "Embed explorer" }, ask.node,
      element("p", { class: "op-title" }, "The prompt's rows of the table"), own.node,
      element("p", { class: "op-legend" }, `${width} numbers each: blue above 0, orange-red below`),
      ...chosen.nodes));
    const resized = new ResizeObserver(chosen.plane.write);
    resized.observe(chosen.plane.node);
    const unwatch = watch(widget, STATE, redraw);
    return () => [resized.disconnect(), unwatch(), ask.end()];
  },
};
