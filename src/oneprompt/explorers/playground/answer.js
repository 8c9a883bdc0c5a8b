// The answer of the playground, token by token, and the messages about it.

import { random } from "../../js/sample.js";
import { painted } from "../kit/frames.js";
import { languageModel } from "../kit/language_model.js";
import { setTraits } from "../kit/traits.js";
import { PLAYGROUND_GAMMA, PLAYGROUND_MAX_NEW, PLAYGROUND_SETTINGS } from "../shared.js";

const SLICE_MS = 10; // of the speculative run between two frames

/** The sampler's settings as js/sample.js takes them. */
export const sampler = (get) => ({
  temperature: get("temperature"), top_k: get("top_k"), top_p: get("top_p"), min_p: 0,
  repetition_penalty: 1, order: ["temperature", "top_k", "top_p"],
});

/** The model's own probability of a token, from its logits. */
const chanceOf = (logits, id) =>
  1 / logits.reduce((sum, logit) => sum + Math.exp(logit - logits[id]), 0);

/**
 * Answers the prompt into the trait `answer`: alone, then with the draft. One pass per frame; ends
 * early once `run.stopped` is set.
 */
async function answerInPage(widget, run) {
  const settings = sampler(widget.get);
  const { ids } = widget.get("data");
  let answer = { ids: [], text: "", chances: [], stop: "", passes: [],
    made: PLAYGROUND_SETTINGS.map((name) => widget.get(name)) };
  const update = (changes) => widget.set("answer", answer = { ...answer, ...changes });
  update({});
  await painted();
  const lm = await languageModel(widget);
  if (run.stopped) return;
  const [target, draft, seed] = [lm.model("reference"), lm.model("draft"), widget.get("seed")];
  for (const step of lm.generate(target, ids, PLAYGROUND_MAX_NEW, settings, random(seed))) {
    if (run.stopped) return;
    if (step) {
      const made = [...answer.ids, step.token_id];
      update({ ids: made, text: lm.tokenizer.decode(made), stop: step.stop,
        chances: [...answer.chances, chanceOf(step.logits, step.token_id)] });
    }
    await painted();
  }
  const both = lm.speculate(target, draft, ids, PLAYGROUND_MAX_NEW, settings, random(seed),
    PLAYGROUND_GAMMA);
  let since = performance.now();
  for (const pass of both) {
    if (run.stopped) return;
    if (pass) {
      const { drafted, accepted, new: made } = pass;
      update({ passes: [...answer.passes, { drafted, accepted, new: made }] });
    }
    if (!pass && performance.now() - since < SLICE_MS) continue; // the draft is quick
    await painted();
    since = performance.now();
  }
}

/** Makes a new answer: the page itself, or Python on request. One still being made ends. */
export function answerer(widget, growing) {
  let run = { stopped: true };
  const stop = () => { run.stopped = true; };
  const generate = async () => {
    if (!widget.page) return setTraits(widget, { requests: widget.get("requests") + 1 });
    stop();
    const mine = run = { stopped: false };
    widget.set("answering", true);
    for (const node of growing) node.style.minBlockSize = `${node.offsetHeight}px`; // no jumps
    try {
      await answerInPage(widget, mine);
    } catch (error) {
      widget.set("notice", error.message);
    }
    if (run !== mine) return undefined; // the next one has begun
    for (const node of growing) node.style.minBlockSize = "";
    return widget.set("answering", false);
  };
  return { generate, stop };
}

const ENDS = {
  stop: "It ended the text itself, with its end token.",
  length: `Cut off after ${PLAYGROUND_MAX_NEW} tokens, the most here.`,
  context: "Cut off: the model's context is full.",
  stopped: "Stopped.",
};

const count = (n, thing) => `${n} ${thing}${n === 1 ? "" : thing === "pass" ? "es" : "s"}`;

/** The line under the answer's tokens: how it was made and why it ended. */
export function ending({ answer, answering, ...state }) {
  const [temperature, , , seed] = answer.made;
  const how = temperature === 0 ? "greedy" : `temperature ${temperature.toFixed(2)}, seed ${seed}`;
  const end = ENDS[answer.stop] ?? (answering ? "Generating …" : ENDS.stopped);
  const changed = PLAYGROUND_SETTINGS.some((name, i) => state[name] !== answer.made[i]);
  return `${count(answer.ids.length, "token")}, ${how}. ${end}`
    + (changed ? " The settings have changed since: Generate again." : "");
}

/** The speculative run in one line. */
export function counted({ answer: { passes }, answering }) {
  const tokens = passes.flatMap((pass) => pass.new).length;
  if (tokens === 0) return answering ? "Waiting for the answer …" : "Generate runs this as well.";
  const [accepted, drafted] = passes.reduce(
    ([a, d], pass) => [a + pass.accepted, d + pass.drafted.length], [0, 0]);
  return `${count(tokens, "token")} in ${count(passes.length, "pass")} of the model; `
    + `${accepted} of ${drafted} drafted tokens accepted.`;
}

export const draftedChips = ({ answer: { passes }, vocabulary }) => passes.flatMap(({ new: made, accepted }) =>
  made.map((id, i) => (i < accepted
    ? { text: vocabulary[id], small: "drafted", kind: "op-drafted" }
    : { text: vocabulary[id], small: "own", kind: "op-own" })));
