// Runs an explorer on a static page, where no kernel answers. base.py puts this file into the
// page and calls mountTwin(host, load): `load` evaluates the explorer's module.

/** The part of the widget model that explorers use, over a plain object. */
function standInModel(state) {
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
  };
}

function mountTwin(host, load) {
  const el = host.querySelector(".op-root");
  try {
    const state = JSON.parse(host.querySelector('script[type="application/json"]').textContent);
    el.replaceChildren();
    load().render({ model: standInModel(state), el });
  } catch (error) {
    el.textContent = "The explorer could not start: see the browser's console.";
    console.error(error);
  }
}
