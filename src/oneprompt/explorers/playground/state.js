// What the playground computes on a page, with the model in the page: the state of a prompt, and an
// answer token by token. In a notebook Python does both; see Playground in playground.py.

const MAX_PROMPT = 48; // tokens
const MAX_CHARACTERS = 1000;
const MAX_NEW_TOKENS = 80;
const GAMMA = 5;
const READ = 8; // positions of the prompt per pass, so that no frame waits for all of them
const SLICE_MS = 10; // of the speculative run between two frames
const SETTINGS = ["temperature", "top_k", "top_p", "seed"];
const LOADING = "Loading the model (about 5 MB) …";

/** Resolves when the browser has painted. A page in the background paints nothing: no wait there. */
const painted = () => new Promise((done) => {
  if (document.hidden) setTimeout(done);
  else requestAnimationFrame(() => setTimeout(done));
});

/** Lower case, and one space in place of all that is no letter or digit of ASCII. */
const plain = (text) => ` ${text.toLowerCase().replace(/[^a-z0-9]+/g, " ").trim()} `;

/** Whether one of the terms stands in the text, in the singular or with an s. */
function namesATerm(text, terms) {
  const words = plain(text);
  return terms.some((term) => ["", "s"].some((ending) => words.includes(` ${term}${ending} `)));
}

/** Rows of `width` numbers each, as plain arrays of short decimals. */
function rowsOf(values, width, digits) {
  const short = (value) => Number(value.toFixed(digits)) + 0;
  return Array.from({ length: values.length / width },
    (_, t) => Array.from(values.subarray(t * width, (t + 1) * width), short));
}

function checkedIds(page, text) {
  if (text.trim() === "") throw new RangeError("The prompt is empty: type a question.");
  if (text.length > MAX_CHARACTERS) {
    throw new RangeError(`The prompt has ${integer(text.length)} characters, and at most `
      + `${integer(MAX_CHARACTERS)} fit here: shorten it.`);
  }
  return page.promptIds(page.tokenizer, text, MAX_PROMPT);
}

/** The trait `trace` of a prompt, read in slices. */
async function compute(page, text, get) {
  const ids = checkedIds(page, text);
  const model = page.model("reference");
  const { n_layers: L, n_heads: H, d_model: D } = model.config;
  const cache = page.newCache(model);
  const [embedding, weights] = [[], Array.from({ length: L }, () => Array.from({ length: H }, () => []))];
  let pass;
  while (cache.length < ids.length) {
    const start = cache.length;
    pass = page.forward(model, ids.slice(start, start + READ), cache);
    embedding.push(...rowsOf(pass.embedding, D, 3));
    const T = cache.length - start;
    pass.layers.forEach((layer, l) => rowsOf(layer.weights, cache.length, 3).forEach((row, i) => {
      weights[l][Math.floor(i / T)].push(row.slice(0, start + (i % T) + 1)); // without hidden keys
    }));
    await painted();
  }
  const [logits] = rowsOf(page.toLogits(model, pass.final_norm), model.config.vocab_size, 4);
  return { trace: { ids, embedding, weights, logits, covered: namesATerm(text, get("terms")) } };
}

/** The sampler's settings as distribution.js takes them. */
const sampler = (get) => ({
  temperature: get("temperature"), top_k: get("top_k"), top_p: get("top_p"), min_p: 0,
  repetition_penalty: 1, order: ["temperature", "top_k", "top_p"],
});

/** The model's own probability of a token, from its logits. */
const chanceOf = (logits, id) =>
  1 / logits.reduce((sum, logit) => sum + Math.exp(logit - logits[id]), 0);

/**
 * Answers the prompt of the trait `trace` into the trait `answer`: alone, then with the draft. One
 * pass per frame; ends early once `run.stopped` is set.
 */
async function answerInPage(model, run) {
  const settings = sampler(model.get);
  const { ids } = model.get("trace");
  const answer = { ids: [], text: "", chances: [], stop: "", passes: [],
    made: SETTINGS.map((name) => model.get(name)) };
  const update = (changes) => model.set("answer", Object.assign(answer, changes) && { ...answer });
  update({});
  if (!window.onePrompt) model.set("notice", LOADING);
  await painted();
  const page = await model.page();
  if (run.stopped) return;
  if (model.get("notice") === LOADING) model.set("notice", "");
  const [target, draft, seed] = [page.model("reference"), page.model("draft"), model.get("seed")];
  for (const pass of page.generate(target, ids, MAX_NEW_TOKENS, settings, random(seed))) {
    if (run.stopped) return;
    if (pass) {
      const made = [...answer.ids, pass.id];
      update({ ids: made, text: page.tokenizer.decode(made), stop: pass.stop,
        chances: [...answer.chances, chanceOf(pass.logits, pass.id)] });
    }
    await painted();
  }
  const both = page.speculate(target, draft, ids, MAX_NEW_TOKENS, settings, random(seed), GAMMA);
  let since = performance.now();
  for (const pass of both) {
    if (run.stopped) return;
    if (pass) {
      const { drafted, accepted, kept } = pass;
      update({ passes: [...answer.passes, { drafted, accepted, kept }] });
    }
    if (!pass && performance.now() - since < SLICE_MS) continue; // the draft is quick
    await painted();
    since = performance.now();
  }
}

const ENDS = {
  stop: "It ended the text itself, with its end token.",
  length: `Cut off after ${MAX_NEW_TOKENS} tokens, the most here.`,
  context: "Cut off: the model's context is full.",
  stopped: "Stopped.",
};

const count = (n, thing) => `${n} ${thing}${n === 1 ? "" : thing === "pass" ? "es" : "s"}`;

/** What stands under the answer's tokens: how it was made and why it ended. */
function ending({ answer, busy, ...state }) {
  const [temperature, , , seed] = answer.made;
  const how = temperature === 0 ? "greedy" : `temperature ${temperature.toFixed(2)}, seed ${seed}`;
  const end = ENDS[answer.stop] ?? (busy ? "Generating …" : ENDS.stopped);
  const changed = SETTINGS.some((name, i) => state[name] !== answer.made[i]);
  return `${count(answer.ids.length, "token")}, ${how}. ${end}`
    + (changed ? " The settings have changed since: Generate again." : "");
}

/** The speculative run in one line. */
function counted({ answer: { passes }, busy }) {
  const tokens = passes.flatMap(({ kept }) => kept).length;
  if (tokens === 0) return busy ? "Waiting for the answer …" : "Generate runs this as well.";
  const [accepted, drafted] = passes.reduce(
    ([a, d], pass) => [a + pass.accepted, d + pass.drafted.length], [0, 0]);
  return `${count(tokens, "token")} in ${count(passes.length, "pass")} of the model; `
    + `${accepted} of ${drafted} drafted tokens accepted.`;
}

const draftedChips = ({ answer: { passes }, vocabulary }) => passes.flatMap(({ kept, accepted }) =>
  kept.map((id, i) => (i < accepted
    ? { text: vocabulary[id], small: "drafted", kind: "op-drafted" }
    : { text: vocabulary[id], small: "own", kind: "op-own" })));
