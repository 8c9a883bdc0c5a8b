// What the explorers with pictures share: choices, numbers, colored cells, line charts.

/** Like `element`, for what stands inside an SVG picture. */
function shape(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** A picture that is decoration: what it shows stands beside it as text. */
const picture = (attributes, ...children) =>
  shape("svg", { "aria-hidden": "true", ...attributes }, ...children);

/** Three significant digits, no exponent, a real minus sign: "−0.0123", "4.10", "298,000". */
function number(value) {
  const rounded = Number(value.toPrecision(3));
  if (rounded === 0) return "0";
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded))));
  const text = Math.abs(rounded).toLocaleString("en-US",
    { minimumFractionDigits: Math.min(decimals, 20), maximumFractionDigits: Math.min(decimals, 20) });
  return rounded < 0 ? `−${text}` : text;
}

/** A number with a given count of decimals and a real minus sign: "−0.45". */
function fixed(value, decimals) {
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/**
 * A group of buttons of which one is chosen, with the keys of radio buttons: arrows, Home, End.
 * `options` are {value, name, content}: what it stands for, what it is called, what it shows. With
 * `columns` the buttons form a table: up and down move by a row.
 */
function choice({ label, options, columns = 1, onInput }) {
  const buttons = options.map(({ value, name, content = name }) => {
    const node = button("", () => onInput(value));
    node.append(content);
    node.setAttribute("role", "radio");
    if (content !== name) node.setAttribute("aria-label", name);
    return node;
  });
  const node = element("div", { class: "op-choice", role: "radiogroup", "aria-label": label },
    ...buttons);
  const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns,
    Home: -Infinity, End: Infinity };
  node.addEventListener("keydown", (event) => {
    const from = buttons.indexOf(event.target.closest("button"));
    if (!(event.key in STEPS) || from < 0) return;
    event.preventDefault();
    const step = STEPS[event.key];
    const end = step < 0 ? 0 : buttons.length - 1;
    const to = Number.isFinite(step) ? from + step : end;
    if (buttons[to] === undefined) return;
    buttons[to].focus();
    onInput(options[to].value);
  });
  const show = (current) => {
    const chosen = options.findIndex(({ value }) => value === current);
    buttons.forEach((each, i) => {
      each.setAttribute("aria-checked", String(i === chosen));
      each.tabIndex = i === Math.max(chosen, 0) ? 0 : -1; // Tab enters at the chosen one
    });
  };
  return { node, buttons, show };
}

/** A list of names with their values: `show` takes [value, detail] per name, in order. */
function facts(names) {
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

const LEVELS = 20; // of opacity: finer than the eye tells apart in a small cell

/**
 * A matrix as colored cells: blue above zero, vermillion below, clear at zero and solid from
 * `largest` on. `null` is an empty cell. One path per color keeps thousands of cells cheap.
 */
function cells(className = "") {
  const node = picture({ class: `op-cells ${className}`, preserveAspectRatio: "none" });
  const show = (rows, largest) => {
    node.setAttribute("viewBox", `0 0 ${rows[0].length} ${rows.length}`);
    const paths = new Map();
    rows.forEach((row, y) => row.forEach((value, x) => {
      const level = Math.round(LEVELS * Math.max(-1, Math.min(1, value / largest)));
      if (level !== 0) paths.set(level, `${paths.get(level) ?? ""}M${x} ${y}h1v1h-1z`);
    }));
    node.replaceChildren(...[...paths].map(([level, d]) => shape("path", {
      d, class: level < 0 ? "op-below" : "op-above", "fill-opacity": Math.abs(level) / LEVELS,
    })));
  };
  return { node, show };
}

/** Two ends for an axis, on multiples of 1, 2 or 5 · 10^n, at least `least` apart. */
function axisEnds(low, high, least = 1) {
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
 * `show(lines, [low, high], mark)`: lines are {values, kind}; the mark is [x, y] or null. Where x
 * counts something else, a fourth argument has its two ends.
 */
function lineChart({ last, xLabel, className = "" }) {
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

/** Buttons that go through the passes of a generation; `onMove` takes the number of the next one. */
function passButtons(onMove) {
  let [step, last] = [1, 1];
  const moves = [["Next pass", () => step + 1], ["Back", () => step - 1],
    ["To the end", () => last], ["Reset", () => 1]];
  const buttons = moves.map(([name, to]) =>
    button(name, () => onMove(Math.max(1, Math.min(last, to())))));
  const node = element("div", { class: "op-buttons op-passes", role: "group", "aria-label": "Passes" },
    ...buttons);
  const show = (current, end) => {
    [step, last] = [current, end];
    buttons.forEach((each, i) => each.setAttribute("aria-disabled", step === (i % 2 ? 1 : last)));
  };
  return { node, show };
}
