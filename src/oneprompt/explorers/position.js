// The position explorer: see PositionExplorer in position.py for the state.

const SCHEMES = [["learned", "learned"], ["sinusoidal", "sinusoidal"], ["rope", "RoPE"],
  ["alibi", "ALiBi"], ["none", "none"]];
const PAIRINGS = ["halves", "interleaved"];
const STATE = ["scheme", "position", "distance", "head", "pair", "pairing", "tokens", "scores",
  "tables", "own", "queries", "frequencies", "slopes"];
const COORDINATES_SHOWN = 6;

const keyOf = ({ scheme, pairing }) => (scheme === "rope" ? `rope ${pairing}` : scheme);

/** Everything that is shown, selected from the state. */
function measure(state) {
  const key = keyOf(state);
  const distance = Math.min(state.distance, state.position); // the text begins at position 0
  const rows = state.scores[key][state.head]; // one per query position, or one for all
  const row = (rows.length === 1 ? rows[0] : rows[state.position]).slice(0, state.position + 1);
  const plain = state.scores.none[state.head][0][0];
  const frequency = state.frequencies[state.pair];
  return {
    ...state, key, distance, rows, row, plain, frequency,
    score: row[distance],
    angle: angleAt(state.position, frequency),
    coordinates: pairCoordinates(state.pair, state.frequencies.length, state.pairing),
  };
}

/** Learned and sinusoidal: the table of vectors, and the row that is added at the position. */
function additivePanel() {
  const table = cells("op-position-table");
  const strip = cells("op-position-strip");
  const frame = element("span", { class: "op-position-frame" });
  const title = element("p", {});
  const values = element("p", { class: "op-detail" });
  const node = element("div", {}, title, strip.node, values,
    element("div", { class: "op-position-plot", "aria-hidden": "true" }, table.node, frame),
    element("p", { class: "op-legend op-detail" },
      "a row per position, a column per coordinate; blue above 0, orange-red below"));
  let drawn = null;
  const show = (state) => {
    const rows = state.tables[state.scheme] ?? state.tables.learned;
    const largest = state.scheme === "learned" ? 0.2 : 1;
    if (drawn !== rows) table.show(rows, largest);
    drawn = rows;
    const row = rows[state.position];
    strip.show([row], largest);
    title.textContent = `Added to the embedding at position ${state.position}:`;
    const first = row.slice(0, COORDINATES_SHOWN).map((x) => fixed(x, 2));
    values.textContent = `${first.join("  ")} … (${row.length} numbers)`;
    frame.style.insetBlockStart = `${(100 * state.position) / rows.length}%`;
    frame.style.blockSize = `${100 / rows.length}%`;
  };
  return { node, show };
}

const RADIUS = 40;
const at = ([x, y]) => `${x.toFixed(2)} ${(-y).toFixed(2)}`; // SVG counts y downwards
const stretched = (direction, length) => direction.map((x) => x * length);

function arrowPath(direction) {
  const tip = stretched(direction, RADIUS);
  const barb = (by) => at(stretched(turn(direction, by), 6).map((x, i) => x + tip[i]));
  return `M0 0L${at(tip)}M${barb(2.7)}L${at(tip)}L${barb(-2.7)}`;
}

/** The way from the arrow at position 0 to the turned one, further out with every turn. */
function spiral(start, angle) {
  const count = Math.max(2, Math.ceil(angle / 0.1));
  const points = Array.from({ length: count + 1 }, (_, i) => {
    const part = (i / count) * angle;
    return at(stretched(turn(start, part), 12 + (5 * part) / (2 * Math.PI)));
  });
  return `M${points.join("L")}`;
}

function dial() {
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
function pairsPicture() {
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

function ropePanel(model, change) {
  const circle = dial();
  const pairs = model.get("frequencies").length;
  const pair = slider({ label: "Pair", stops: steps(0, pairs - 1, 1),
    describe: String, onInput: (value) => change({ pair: value }) });
  const pairing = choice({ label: "Pairing", options: PAIRINGS.map((name) => ({ value: name, name })),
    onInput: (value) => change({ pairing: value }) });
  const figures = facts(["Angle (rad)", "Full turn", "Coordinates"]);
  const every = pairsPicture();
  const node = element("div", {},
    element("div", { class: "op-rope" }, circle.node, element("div", {}, pair.node, pairing.node)),
    figures.node, every.node,
    element("p", { class: "op-detail" }, "above: all pairs of the head, the fastest first; below: its ",
      `${2 * pairs} coordinates`));
  const show = (state) => {
    const { angle, frequency, coordinates } = state;
    circle.show(state);
    every.show(state);
    pair.show(state.pair);
    pairing.show(state.pairing);
    figures.show([number(angle), `${fixed(angle / (2 * Math.PI), 2)} turns`],
      [number(wavelength(frequency)), "positions"], [coordinates.join(" and "), ""]);
  };
  return { node, show };
}

function alibiPanel(model) {
  const last = model.get("tables").sinusoidal.length - 1;
  const chart = lineChart({ last, xLabel: "distance", className: "op-chart-shift" });
  const figures = facts(["Slope of the head", "Added to the score"]);
  const node = element("div", {}, element("p", {}, "Added to the score of every head, by distance:"),
    chart.node, figures.node);
  const show = ({ slopes, head, distance }) => {
    const shifts = (slope) => Array.from({ length: last + 1 }, (_, d) => alibiShift(slope, d));
    const lines = slopes.map((slope, i) => ({ values: shifts(slope), kind: i === head ? "now" : "other" }));
    lines.sort((a, b) => (a.kind === "now") - (b.kind === "now"));
    const shift = alibiShift(slopes[head], distance);
    chart.show(lines, axisEnds(Math.min(...shifts(Math.max(...slopes))), 0), [distance, shift]);
    figures.show([number(slopes[head]), ""], [number(shift), `at distance ${distance}`]);
  };
  return { node, show };
}

function nonePanel() {
  const text = "Nothing is added, turned or shifted: the score is the same at every distance.";
  return { node: element("div", {}, element("p", {}, text)), show() {} };
}

function note({ key, own, scheme }) {
  if (key === own) return "This is how the model itself marks positions.";
  const other = "The model was trained otherwise, so these scores do not occur in it.";
  return {
    learned: `This table is random, not trained. ${other}`,
    sinusoidal: `The embeddings are first multiplied by √D, as in the original. ${other}`,
    rope: own.startsWith("rope") ? "The model was trained with the other pairing, so here its "
      + "queries and keys are turned in the wrong pairs." : other,
    alibi: other,
    none: other,
  }[scheme];
}

function scoreChart(model) {
  const last = model.get("tables").sinusoidal.length - 1;
  const chart = lineChart({ last, xLabel: "distance from query back to key" });
  const figures = facts(["Score", "No position", "Difference"]);
  const title = element("p", { class: "op-title" });
  const lines = [["now", "query at the chosen position"], ["other", "at every other"],
    ["plain", "without positions"]].map(([kind, text]) => element("span", {},
    element("span", { class: `op-swatch op-swatch-${kind}`, "aria-hidden": "true" }), text));
  const node = element("div", {}, title, chart.node, element("p", { class: "op-legend" }, ...lines),
    figures.node);
  const show = ({ tokens, rows, row, plain, score, distance, position, head }) => {
    title.replaceChildren("Score of the query ", tokenElement(tokens[0]), " with the key ",
      tokenElement(tokens[1]), `, head ${head}`);
    const ends = axisEnds(Math.min(plain, ...rows.flat()), Math.max(plain, ...rows.flat()), 2);
    chart.show([...rows.map((values) => ({ values, kind: "other" })),
      { values: new Array(last + 1).fill(plain), kind: "plain" }, { values: row, kind: "now" }],
    ends, [distance, score]);
    figures.show([fixed(score, 2), `at ${position} and ${position - distance}`],
      [fixed(plain, 2), ""], [fixed(score - plain, 2), ""]);
  };
  return { node, show };
}

export default {
  render({ model, el }) {
    const change = (settings) => {
      for (const [name, value] of Object.entries(settings)) model.set(name, value);
      model.save_changes();
    };
    const last = model.get("tables").sinusoidal.length - 1;
    const sliders = { position: ["Position of the query", last], distance: ["Distance", last],
      head: ["Head", model.get("slopes").length - 1] };
    const controls = Object.entries(sliders).map(([name, [label, end]]) => [name, slider({
      label, stops: steps(0, end, 1), describe: String,
      onInput: (value) => change({ [name]: value }) })]);
    const scheme = choice({ label: "Position scheme",
      options: SCHEMES.map(([value, name]) => ({ value, name })),
      onInput: (value) => change({ scheme: value }) });
    const additive = additivePanel();
    const panels = { learned: additive, sinusoidal: additive, rope: ropePanel(model, change),
      alibi: alibiPanel(model), none: nonePanel() };
    const all = [...new Set(Object.values(panels))];
    const remark = element("p", { class: "op-status op-remark" });
    const score = scoreChart(model);

    const redraw = () => {
      const state = measure(Object.fromEntries(STATE.map((name) => [name, model.get(name)])));
      scheme.show(state.scheme);
      for (const [name, control] of controls) control.show(state[name]);
      for (const panel of all) { // the hidden ones too: together they keep the height
        panel.node.classList.toggle("op-away", panel !== panels[state.scheme]);
        panel.show(state);
      }
      remark.textContent = note(state);
      score.show(state);
    };
    redraw();
    el.append(element("section", { class: "op-explorer", "aria-label": "Position explorer" },
      scheme.node, element("div", { class: "op-sliders op-three" }, ...controls.map(([, c]) => c.node)),
      element("div", { class: "op-panels" }, ...all.map((panel) => panel.node)), remark, score.node));
    return watch(model, STATE, redraw);
  },
};
