// Computes the traits of a prompt with the model in the page, as LogitsExplorer.compute does.

import { ranking, softmax, entropyBits } from "../../js/sample.js";
import { pauses } from "../kit/frames.js";
import { promptIds } from "../kit/prompt_ids.js";
import { fromScript } from "../kit/script.js";
import { LOGITS_FOLLOWED, LOGITS_TOP, MAX_TOKENS } from "../shared.js";

export async function compute(lm, text, get) {
  const model = lm.model("reference");
  const pause = pauses();
  const V = model.config.vocab_size;
  const ids = promptIds(lm.tokenizer, text, MAX_TOKENS);
  const trace = lm.forward(model, ids);
  const read = { cells: lm.lens(model, trace) };
  if (get("data").tuned) {
    const maps = lm.unpack(await fromScript("page_lens.js", "onePromptLens"));
    read.tuned = lm.tunedLens(model, maps, trace);
  }
  await pause();
  const ranked = async (logits, t) => {
    const row = Array.from(logits.subarray(t * V, (t + 1) * V));
    await pause();
    return { row, order: ranking(row) };
  };
  const data = { tokens: ids.map(lm.tokenizer.text), vocab_size: V, followed: [], tuned: null };
  for (const name of Object.keys(read)) data[name] = read[name].map(() => []);
  for (const t of ids.keys()) {
    const found = {}; // by lens, a row for each depth
    for (const name of Object.keys(read)) {
      found[name] = [];
      for (const logits of read[name]) found[name].push(await ranked(logits, t));
    }
    const followed = toFollow(found.cells.at(-1), Object.values(found).flat());
    data.followed.push(followed.map(lm.tokenizer.text));
    for (const [name, rows] of Object.entries(found)) {
      rows.forEach((each, depth) => data[name][depth].push(cell(each, followed, lm.tokenizer)));
    }
  }
  return { data, position: ids.length - 1 };
}

/** The first choices of the model's own row, then of each other row the first. */
const toFollow = (own, rows) => Array.from(
  new Set([...own.order.slice(0, LOGITS_FOLLOWED), ...rows.map(({ order }) => order[0])]));

function cell({ row, order }, followed, tokenizer) {
  const probabilities = softmax(row);
  return {
    top: order.slice(0, LOGITS_TOP).map((id) => [tokenizer.text(id), row[id]]),
    log_sum: row[order[0]] - Math.log(probabilities[order[0]]),
    entropy: entropyBits(probabilities),
    followed: followed.map((id) => [row[id], 1 + order.indexOf(id)]),
  };
}
