// The answer of the playground, token by token, and what is said of it.

import { random } from "../../js/sample.js";
import { LOADING } from "../kit/notices.js";
import { painted } from "../kit/frames.js";

const MAX_NEW_TOKENS = 80;

export const GAMMA = 5;

const SLICE_MS = 10; // of the speculative run between two frames

export const SETTINGS = ["temperature", "top_k", "top_p", "seed"];

/** The sampler's settings as distribution.js takes them. */
export const sampler = (get) => ({
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
export async function answerInPage(widget, run) {
  const settings = sampler(widget.get);
  const { ids } = widget.get("trace");
  const answer = { ids: [], text: "", chances: [], stop: "", passes: [],
    made: SETTINGS.map((name) => widget.get(name)) };
  const update = (changes) => widget.set("answer", Object.assign(answer, changes) && { ...answer });
  update({});
  if (!window.onePrompt) widget.set("notice", LOADING);
  await painted();
  const lm = await widget.page();
  if (run.stopped) return;
  if (widget.get("notice") === LOADING) widget.set("notice", "");
  const [target, draft, seed] = [lm.model("reference"), lm.model("draft"), widget.get("seed")];
  for (const pass of lm.generate(target, ids, MAX_NEW_TOKENS, settings, random(seed))) {
    if (run.stopped) return;
    if (pass) {
      const made = [...answer.ids, pass.id];
      update({ ids: made, text: lm.tokenizer.decode(made), stop: pass.stop,
        chances: [...answer.chances, chanceOf(pass.logits, pass.id)] });
    }
    await painted();
  }
  const both = lm.speculate(target, draft, ids, MAX_NEW_TOKENS, settings, random(seed), GAMMA);
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
export function ending({ answer, busy, ...state }) {
  const [temperature, , , seed] = answer.made;
  const how = temperature === 0 ? "greedy" : `temperature ${temperature.toFixed(2)}, seed ${seed}`;
  const end = ENDS[answer.stop] ?? (busy ? "Generating …" : ENDS.stopped);
  const changed = SETTINGS.some((name, i) => state[name] !== answer.made[i]);
  return `${count(answer.ids.length, "token")}, ${how}. ${end}`
    + (changed ? " The settings have changed since: Generate again." : "");
}

/** The speculative run in one line. */
export function counted({ answer: { passes }, busy }) {
  const tokens = passes.flatMap(({ kept }) => kept).length;
  if (tokens === 0) return busy ? "Waiting for the answer …" : "Generate runs this as well.";
  const [accepted, drafted] = passes.reduce(
    ([a, d], pass) => [a + pass.accepted, d + pass.drafted.length], [0, 0]);
  return `${count(tokens, "token")} in ${count(passes.length, "pass")} of the model; `
    + `${accepted} of ${drafted} drafted tokens accepted.`;
}

export const draftedChips = ({ answer: { passes }, vocabulary }) => passes.flatMap(({ kept, accepted }) =>
  kept.map((id, i) => (i < accepted
    ? { text: vocabulary[id], small: "drafted", kind: "op-drafted" }
    : { text: vocabulary[id], small: "own", kind: "op-own" })));
