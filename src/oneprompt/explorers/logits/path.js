// How two tokens fare through the depths of the logits explorer.

import { bar } from "../kit/charts.js";
import { menu } from "../kit/controls.js";
import { element, tokenElement, tokenText } from "../kit/element.js";
import { integer, percent } from "../kit/numbers.js";
import { depthName } from "./map.js";

/** One token's share and rank at one depth. */
function fare(kind) {
  const shares = bar();
  const [value, rank] = [element("span", {}), element("span", { class: "op-path-rank" })];
  const node = element("span", { class: `op-fare ${kind}` }, shares.node, value, rank);
  const show = (found) => {
    node.hidden = found === undefined; // a vocabulary of one has no second token
    if (found === undefined) return;
    shares.show({ before: 0, after: found.share, mark: null });
    value.textContent = percent(found.share);
    rank.textContent = `rank ${integer(found.rank)}`;
  };
  return { node, show };
}

/** How the model's own first choice for the chosen position fares at every depth, and a second token. */
export function path(depths, change) {
  const own = element("span", { class: "op-path-token" });
  const other = menu({ label: "A second token to follow", onInput: (follow) => change({ follow }) });
  const lines = Array.from({ length: depths }, (_, depth) => {
    const fares = ["op-fare-own", "op-fare-second"].map(fare);
    const node = element("li", {}, element("span", { class: "op-path-name" }, depthName(depth)),
      ...fares.map((each) => each.node));
    return { node, fares };
  });
  const node = element("div", { class: "op-path" },
    element("div", { class: "op-path-tokens" }, own, other.node),
    element("ol", {}, ...lines.map((line) => line.node).reverse()));
  const show = ({ data, position, depth, paths, second }) => {
    const [first, ...rest] = data.followed[position];
    own.replaceChildren(tokenElement(first));
    other.show(rest.map((token) => ({ value: token, name: tokenText(token) })), rest[second - 1]);
    lines.forEach((line, d) => {
      line.node.classList.toggle("op-chosen", d === depth);
      line.fares[0].show(paths[d][0]);
      line.fares[1].show(paths[d][second]);
    });
  };
  return { node, show };
}
