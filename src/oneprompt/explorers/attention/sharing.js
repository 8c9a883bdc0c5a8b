// Grouped-query attention: query heads that share keys and values.

import { sharedHead } from "../../js/attention.js";
import { choice } from "../kit/controls.js";
import { element, picture, shape } from "../kit/element.js";

/** Which key/value head each query head reads, as lines between two rows of dots. */
export function sharing(heads, change) {
  const counts = Array.from({ length: heads }, (_, i) => heads - i).filter((g) => heads % g === 0);
  const kind = (g) => (g === heads ? `${g} (MHA)` : g === 1 ? "1 (MQA)" : `${g}`);
  const groups = choice({ label: "Key/value heads", onInput: (value) => change({ groups: value }),
    options: counts.map((value) => ({ value, name: kind(value) })) });
  const lines = picture({ class: "op-sharing", viewBox: `0 0 ${heads} 2` });
  const text = element("p", { class: "op-status" });
  const node = element("div", {}, groups.node, lines, text);
  const show = ({ head, groups: count }) => {
    groups.show(count);
    const at = (g) => ((g + 0.5) * heads) / count;
    const reads = Array.from({ length: heads }, (_, h) => sharedHead(h, heads, count));
    const chosen = (is) => ({ class: is ? "op-chosen" : "" });
    lines.replaceChildren(
      ...reads.map((g, h) => shape("path", { d: `M${h + 0.5} 0.4L${at(g)} 1.6`, ...chosen(h === head) })),
      ...reads.map((_, h) => shape("circle", { cx: h + 0.5, cy: 0.4, r: 0.2, ...chosen(h === head) })),
      ...Array.from({ length: count }, (_, g) => shape("rect",
        { x: at(g) - 0.2, y: 1.4, width: 0.4, height: 0.4, ...chosen(g === reads[head]) })));
    text.textContent = `Query head ${head} reads key/value head ${reads[head]}; the cache keeps `
      + `${count} of ${heads}. (The maps stay this model's own.)`;
  };
  return { node, show };
}
