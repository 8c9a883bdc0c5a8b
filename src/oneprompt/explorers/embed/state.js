// The state of a prompt, by the model in the lm, as EmbedExplorer.compute in explorer.py.

import { pauses } from "../kit/frames.js";
import { MAX_TOKENS } from "../shared.js";

const [NEIGHBORS, SHADES, BASE] = [8, 17, 36]; // as in embed.py

export const known = (space, id) => id in space.nearest;

/** The space with the nearest rows of more tokens, from the model in the page; as in embed.py. */
export async function knowing(lm, ids, space, largest) {
  const model = lm.model("reference");
  const [{ embedding: table }, D] = [model.weights, model.config.d_model];
  const row = (id) => table.subarray(id * D, (id + 1) * D);
  const lengths = Array.from({ length: table.length / D }, (_, id) => Math.hypot(...row(id)));
  const digit = (x) => Math.max(-SHADES, Math.min(SHADES, Math.round((x / largest) * SHADES))) + SHADES;
  const [nearest, texts, rows] = [{ ...space.nearest }, { ...space.texts }, { ...space.rows }];
  const pause = pauses();
  for (const id of ids) {
    await pause();
    // Tied: the logits of a row are its dot products with all rows.
    const cosines = lm.toLogits(model, row(id)).map((dot, i) => dot / (lengths[id] * lengths[i]));
    const others = lm.ranking(cosines).filter((other) => other !== id).slice(0, NEIGHBORS);
    nearest[id] = others.map((other) => [other, Number(cosines[other].toFixed(4))]);
    for (const each of [id, ...others]) {
      texts[each] = lm.tokenizer.text(each);
      rows[each] = Array.from(row(each), (x) => digit(x).toString(BASE)).join("");
    }
  }
  return { ...space, nearest, texts, rows };
}

/** The traits of a prompt, from the model in the lm. */
export async function compute(lm, text, get) {
  const ids = lm.promptIds(lm.tokenizer, text, MAX_TOKENS);
  const own = await knowing(lm, new Set(ids), { ids, nearest: {}, texts: {}, rows: {} }, get("largest"));
  const step = Object.values(own.nearest).flat().map(([id]) => id).filter((id) => !known(own, id));
  return { space: await knowing(lm, new Set(step), own, get("largest")), token: ids[0] };
}
