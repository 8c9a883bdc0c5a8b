// What a notebook shows of an explorer: itself, and its caption below. On a page the caption is HTML.

import { element } from "./element.js";

/** The explorer with its caption. */
export const captioned = (explorer) => ({
  ...explorer,
  render({ model, el }) {
    const end = explorer.render({ model, el });
    const caption = model.get("caption");
    if (caption) el.append(element("p", { class: "op-caption" }, caption));
    return end;
  },
});
