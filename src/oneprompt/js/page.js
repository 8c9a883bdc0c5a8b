// The model in the page: everything that explorers ask of it.

import { attend } from "./attention.js";
import { generate } from "./autoregress.js";
import { linear } from "./linear.js";
import {
  forward, lens, makeModel, newCache, toLogits, tunedLens, unpack, unturned, withoutHeads,
  withoutUnits,
} from "./model.js";
import { distribution, drawToken, random, ranking } from "./sample.js";
import { residual, speculate } from "./speculate.js";
import { makeTokenizer } from "./tokenize.js";

/**
 * What `compute(lm, …)` of an explorer gets: {tokenizer, model(name), forward, …}, from the data that
 * page_model.py writes. A model is unpacked when it is first asked for.
 */
export const makePage = ({ models, tokenizer }) => {
  const made = {};
  return {
    tokenizer: makeTokenizer(tokenizer),
    model: (name) => (made[name] ??= makeModel(models[name])),
    attend, distribution, drawToken, forward, generate, lens, linear, newCache, random, ranking,
    residual, speculate, toLogits, tunedLens, unpack, unturned, withoutHeads, withoutUnits,
  };
};

export default makePage;
