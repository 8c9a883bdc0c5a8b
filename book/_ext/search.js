// The page of search results. Pagefind's index (search_index.py) knows sections and the glossary's
// entries. A page that was opened from a folder may not load it, so there Sphinx's search finds pages.

/* global DOCUMENTATION_OPTIONS -- of Sphinx */

const N_SHOWN = 20;
const ROOT = new URL(document.documentElement.dataset.content_root, location.href);
const query = new URLSearchParams(location.search).get("q")?.trim() ?? "";

/** What is found, best first: where the query is a whole title, that comes before all others. */
async function find() {
  const pagefind = await import(new URL("pagefind/pagefind.js", ROOT));
  const { results } = await pagefind.search(query);
  const found = await Promise.all(results.slice(0, N_SHOWN).map((result) => result.data()));
  const isNamed = ({ meta }) => meta.heading.toLowerCase() === query.toLowerCase();
  return [...found.filter(isNamed), ...found.filter((one) => !isNamed(one))];
}

function item({ meta, excerpt }) {
  const [node, link, text] = ["li", "a", "p"].map((tag) => document.createElement(tag));
  link.href = new URL(meta.address, ROOT);
  link.textContent = meta.heading;
  if (meta.heading !== meta.page) {
    const page = document.createElement("span");
    page.textContent = ` ${meta.page}`;
    page.className = "op-found-on";
    link.append(page);
  }
  text.innerHTML = excerpt; // the book's own text, escaped, with <mark> around what was found
  node.append(link, text);
  return node;
}

function load(name) {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    Object.assign(script, { src: new URL(name, ROOT), onload: done, onerror: failed });
    document.head.append(script);
  });
}

async function search() {
  for (const field of document.querySelectorAll('input[name="q"]')) field.value = query;
  if (!query) return;
  const status = document.querySelector(".op-search-status");
  if (location.protocol === "file:") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false; // it would fetch the pages
    for (const name of ["language_data", "searchtools"]) await load(`_static/${name}.js`);
    await load("searchindex.js");
    return;
  }
  status.textContent = "Searching …";
  const found = await find();
  const count = found.length < N_SHOWN ? found.length : `The first ${N_SHOWN}`;
  status.textContent = found.length
    ? `${count} result${found.length === 1 ? "" : "s"} for “${query}”`
    : `Nothing is found for “${query}”. The glossary lists all terms.`;
  document.querySelector(".op-results").replaceChildren(...found.map(item));
}

search();
