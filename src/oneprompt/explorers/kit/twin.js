// Runs an explorer on a static page, where no kernel answers. base.py puts this file into the
// page and calls mountTwin(host, load): `load` evaluates the explorer's module.

/** The part of the widget model that explorers use, over a plain object. */
function standInModel(state) {
  const listeners = new Map();
  const of = (event) => listeners.get(event) ?? [];
  const model = {
    get: (key) => state[key],
    set(key, value) {
      if (Object.is(state[key], value)) return;
      state[key] = value;
      for (const callback of of(`change:${key}`)) callback();
    },
    save_changes() {},
    on: (event, callback) => listeners.set(event, [...of(event), callback]),
    off: (event, callback) => listeners.set(event, of(event).filter((f) => f !== callback)),
    page: pageModel, // where there is a kernel, Python computes and this is missing
  };
  return model;
}

/** The model in the page (oneprompt/web), loaded once for all explorers of a page. */
function pageModel() {
  window.onePromptLoading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${document.documentElement.dataset.content_root ?? ""}_static/page_model.js`;
    script.addEventListener("load", () => resolve(window.onePrompt));
    script.addEventListener("error", () => {
      delete window.onePromptLoading;
      reject(new Error("The model could not be loaded. Check the connection and run again."));
    });
    document.head.append(script);
  });
  return window.onePromptLoading;
}

/** What Python does in a notebook: compute the state of the prompt that the reader asked for. */
function answerWith(compute, model) {
  return async () => {
    const text = model.get("asked");
    if (!compute || !text) return;
    const waits = () => model.get("asked") === text; // the reader has not asked again
    const tell = (notice) => { // while it computes; false once nobody waits for it
      if (waits()) model.set("notice", notice);
      return waits();
    };
    tell(window.onePrompt ? "Computing …" : "Loading the model (about 5 MB) …");
    try {
      const page = await pageModel();
      await new Promise((painted) => { setTimeout(painted); }); // so that the notice is seen
      if (!waits()) return;
      const state = await compute(page, text, model.get, tell);
      if (!waits()) return;
      for (const [name, value] of Object.entries(state)) model.set(name, value);
      model.set("prompt", text);
      tell("");
    } catch (error) {
      tell(error.message);
    }
  };
}

export function mountTwin(host, load) {
  const el = host.querySelector(".op-root");
  try {
    const state = JSON.parse(host.querySelector('script[type="application/json"]').textContent);
    el.replaceChildren();
    const explorer = load();
    const model = standInModel(state);
    model.on("change:asked", answerWith(explorer.compute, model));
    explorer.render({ model, el });
  } catch (error) {
    el.textContent = "The explorer could not start: see the browser's console.";
    console.error(error);
  }
}
