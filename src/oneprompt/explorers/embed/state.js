// Computes the traits of a prompt with the model in the page, as EmbedExplorer.compute does.

import { pauses } from "../kit/frames.js";
import { promptIds } from "../kit/prompt_ids.js";
import { DIGIT_BASE, EMBED_NEIGHBORS, EMBED_SHADES, MAX_TOKENS } from "../shared.js";

export const known = (data, id) => id in data.nearest;

/** The data with the nearest rows of these tokens too; a strip shows `largest` in full color. */
export async function knowing(lm, ids, data, largest) {
  const model = lm.model("reference");
  const [{ embedding: table }, D] = [model.weights, model.config.d_model];
  const row = (id) => table.subarray(id * D, (id + 1) * D);
  const lengths = Array.from({ length: table.length / D }, (_, id) => Math.hypot(...row(id)));
  const shade = (x) => Math.round(Math.max(-1, Math.min(1, x / largest)) * EMBED_SHADES);
  const digit = (x) => (shade(x) + EMBED_SHADES).toString(DIGIT_BASE);
  const [nearest, texts, rows] = [{ ...data.nearest }, { ...data.texts }, { ...data.rows }];
  const pause = pauses();
  for (const id of ids) {
    await pause();
    // Tied: the logits of a row are its dot products with all rows.
    const cosines = lm.toLogits(model, row(id)).map((dot, i) => dot / (lengths[id] * lengths[i]));
    const others = lm.ranking(cosines).filter((other) => other !== id).slice(0, EMBED_NEIGHBORS);
    nearest[id] = others.map((other) => [other, Number(cosines[other].toFixed(4))]);
    for (const each of [id, ...others]) {
      texts[each] = lm.tokenizer.text(each);
      rows[each] = Array.from(row(each), digit).join("");
    }
  }
  return { ...data, nearest, texts, rows };
}

export async function compute(lm, text, get) {
  const ids = promptIds(lm.tokenizer, text, MAX_TOKENS);
  const nothing = { ids, nearest: {}, texts: {}, rows: {} };
  const own = await knowing(lm, new Set(ids), nothing, get("largest"));
  const step = Object.values(own.nearest).flat().map(([id]) => id).filter((id) => !known(own, id));
  return { data: await knowing(lm, new Set(step), own, get("largest")), token: ids[0] };
}
