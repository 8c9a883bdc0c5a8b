// Runs an explorer on a static page, where no kernel answers. base.py puts this file into the
// page and calls mountTwin(host, load): `load` evaluates the explorer's module.

import { languageModel } from "./language_model.js";
import { COMPUTING } from "./notices.js";
import { fromScript } from "./script.js";
import { setTraits } from "./traits.js";

/** The part of the widget that explorers use, over a plain object. */
function standIn(state) {
  const listeners = new Map();
  const of = (event) => listeners.get(event) ?? [];
  return {
    get: (key) => state[key],
    set(key, value) {
      if (Object.is(state[key], value)) return;
      state[key] = value;
      for (const callback of of(`change:${key}`)) callback();
    },
    save_changes() {},
    on: (event, callback) => listeners.set(event, [...of(event), callback]),
    off: (event, callback) => listeners.set(event, of(event).filter((f) => f !== callback)),
    page: loadPage, // where there is a kernel, Python computes and this is missing
  };
}

/** The language model in the page (oneprompt/js). */
const loadPage = () => fromScript("page_model.js", "onePrompt");

/** What Python does in a notebook: compute the traits of the prompt that the reader asked for. */
function answerWith({ compute, alone }, widget) {
  return async () => {
    const text = widget.get("asked");
    if (!text) widget.set("busy", false); // nobody is waiting for what is being computed
    if (!compute || !text) return;
    const waits = () => widget.get("asked") === text; // the reader has not asked again
    // While it computes, with what can be shown already; false once nobody waits for it.
    const tell = (notice, traits = null) => {
      if (waits()) setTraits(widget, traits ? { ...traits, prompt: text, notice } : { notice });
      return waits();
    };
    widget.set("busy", true);
    try {
      const lm = alone ? null : await languageModel(widget, tell); // alone: needs no model
      tell(COMPUTING);
      await new Promise((painted) => { setTimeout(painted); }); // so that the notice is seen
      if (!waits()) return;
      const traits = await compute(lm, text, widget.get, tell);
      if (waits()) setTraits(widget, { ...traits, prompt: text, notice: "" });
    } catch (error) {
      tell(error.message);
    } finally {
      if (waits()) widget.set("busy", false);
    }
  };
}

/** The second explorer of a kind on a page is called so: a landmark has a name of its own. */
function nameApart(explorer) {
  const name = explorer.getAttribute("aria-label");
  const same = document.querySelectorAll(`.op-root > [aria-label^="${name}"]`).length;
  if (same > 1) explorer.setAttribute("aria-label", `${name} ${same}`);
}

/** Calls back once, when half a screen at most is between the reader and the element. */
function whenNear(element, callback) {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    callback();
  }, { rootMargin: "50%" });
  observer.observe(element);
}

function start(el, load, state) {
  const explorer = load();
  const widget = standIn(state);
  el.replaceChildren();
  widget.on("change:asked", answerWith(explorer, widget));
  explorer.render({ model: widget, el });
  nameApart(el.firstElementChild);
}

/** The state is in the page, or, where it is large, in a script of its own (late_states.py). */
export function mountTwin(host, load) {
  const el = host.querySelector(".op-root");
  const fail = (error) => {
    el.textContent = `The explorer could not start: ${error.message}`;
    console.error(error);
  };
  const state = host.querySelector('script[type="application/json"]');
  const { name, version } = state.dataset;
  if (name) {
    el.textContent = "Loading …";
    whenNear(host, () => fromScript(`states/${name}.js?${version}`, name)
      .then((loaded) => start(el, load, loaded)).catch(fail));
    return;
  }
  try {
    start(el, load, JSON.parse(state.textContent));
  } catch (error) {
    fail(error);
  }
}
