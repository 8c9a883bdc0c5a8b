// What a reader can do on a built page besides the explorers: open all code, follow a link into a
// fold, see a term's meaning beside its link, and print. Without this script, all of it stays reachable.
// And what the browser does meanwhile: it measures the sections that it has not laid out.

/** A setting that outlives the page; where the browser keeps none, it is forgotten. */
const setting = {
  get(name) {
    try { return localStorage.getItem(name); } catch { return null; }
  },
  set(name, value) {
    try { localStorage.setItem(name, value); } catch { /* the page is all that remembers it */ }
  },
};

/** The switch that opens all code of the site. */
function switchCode() {
  const button = document.querySelector(".op-code-switch");
  if (!button) return;
  const show = (all) => {
    button.setAttribute("aria-pressed", String(all));
    for (const code of document.querySelectorAll("details.op-code")) code.open = all;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const all = button.getAttribute("aria-pressed") !== "true";
    setting.set("code", all ? "all" : "folded");
    show(all);
  });
  if (setting.get("code") === "all") show(true);
}

/** Opens the folds around what the address names. */
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  const inner = target.querySelector(":scope > details.op-fold");
  for (let part = inner ?? target; part; part = part.parentElement) {
    if (part.localName === "details") part.open = true;
  }
  if (inner) target.scrollIntoView();
}

/** The meaning of a term beside its link: on hover, on focus, and on a tap, which then follows. */
function previewTerms() {
  const data = document.getElementById("op-terms");
  if (!data) return;
  const terms = JSON.parse(data.textContent);
  const box = document.createElement("div");
  [box.id, box.className, box.hidden] = ["op-preview", "op-preview", true];
  box.setAttribute("role", "tooltip");
  document.body.append(box);
  let [shown, timer, byTouch] = [null, 0, false];
  const hide = () => {
    shown?.removeAttribute("aria-describedby");
    [shown, box.hidden] = [null, true];
  };
  const show = (link) => {
    clearTimeout(timer);
    if (shown === link) return;
    hide();
    const [term, definition] = terms[link.hash.slice(1)];
    box.replaceChildren(Object.assign(document.createElement("strong"), { textContent: term }),
      document.createElement("br"), definition);
    [shown, box.hidden] = [link, false];
    link.setAttribute("aria-describedby", box.id);
    const [at, width] = [link.getBoundingClientRect(), document.documentElement.clientWidth];
    box.style.left = `${Math.max(8, Math.min(at.left, width - box.offsetWidth - 8)) + scrollX}px`;
    const above = at.bottom + box.offsetHeight > innerHeight && at.top > box.offsetHeight;
    box.style.top = `${(above ? at.top - box.offsetHeight - 4 : at.bottom + 4) + scrollY}px`;
  };
  const later = (act, delay) => {
    clearTimeout(timer);
    timer = setTimeout(act, delay);
  };
  for (const link of document.querySelectorAll('article a[href*="glossary.html#"]')) {
    if (!(link.hash.slice(1) in terms)) continue;
    link.classList.add("op-term");
    link.addEventListener("pointerenter", (event) => {
      if (event.pointerType === "mouse") later(() => show(link), 200);
    });
    link.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") later(hide, 300);
    });
    link.addEventListener("pointerdown", (event) => { byTouch = event.pointerType !== "mouse"; });
    link.addEventListener("focus", () => { if (!byTouch) show(link); });
    link.addEventListener("blur", hide);
    link.addEventListener("click", (event) => { // the first tap shows, the second follows
      if (byTouch && shown !== link) {
        event.preventDefault();
        show(link);
      }
    });
  }
  box.addEventListener("pointerenter", () => clearTimeout(timer));
  box.addEventListener("pointerleave", () => later(hide, 300));
  document.addEventListener("keydown", ({ key }) => { if (key === "Escape") hide(); });
  document.addEventListener("pointerdown", ({ target }) => {
    if (shown && !shown.contains(target) && !box.contains(target)) hide();
  });
}

/** Paper is white, and the topics of "Deeper" are there to be read; afterwards all is as before. */
function preparePrint() {
  const root = document.documentElement;
  let undo = () => {};
  addEventListener("beforeprint", () => {
    undo();
    const { theme } = root.dataset;
    const topics = document.querySelectorAll("details.op-fold:not([open])");
    root.dataset.theme = "light";
    for (const topic of topics) topic.open = true;
    undo = () => {
      root.dataset.theme = theme;
      for (const topic of topics) topic.open = false;
    };
  });
  addEventListener("afterprint", () => undo());
}

/**
 * Far from the window a section has only a guessed height (book.css), and what is in it would reach
 * into the next one. So each is laid out once, a frame at a time, and keeps its height from then on.
 */
function measureSections() {
  const idle = globalThis.requestIdleCallback ?? ((act) => setTimeout(act, 50));
  const sections = Array.from(document.querySelectorAll("article section section"));
  const isMeasured = (section) => section.querySelector("section")
    || section.lastElementChild.checkVisibility({ contentVisibilityAuto: true });
  // Without scroll anchoring, what is above the window would move what is in it.
  const wouldJump = (section) => !CSS.supports("overflow-anchor", "auto")
    && section.getBoundingClientRect().top < 0;
  const next = () => {
    let section = sections.shift();
    while (section && (isMeasured(section) || wouldJump(section))) section = sections.shift();
    if (!section) return;
    section.style.contentVisibility = "visible";
    requestAnimationFrame(() => requestAnimationFrame(() => {
      section.style.contentVisibility = "";
      idle(next);
    }));
  };
  idle(next);
}

switchCode();
preparePrint();
openTarget();
addEventListener("hashchange", openTarget);
previewTerms();
addEventListener("load", measureSections);
