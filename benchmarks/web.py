"""What the book weighs and how fast the model in the page is, measured in Chromium.

    PYTHONPATH=tools python benchmarks/web.py [folder of the built book]

Serves the built book on this machine, opens every page, moves every control of its explorers, and
asks the playground of the first page.
"""

import gzip
import statistics
import sys
from pathlib import Path

import chromium
from playwright.sync_api import sync_playwright

ROUNDS = 5
QUESTIONS = ("What is machine learning?", "What is a causal mask?", "What is a token?")

# Defines measure(action): acts, waits until the answer is complete, and returns the seconds to the
# first painted token, the longest gap between two frames and the longest task (both in ms).
MEASURE = """globalThis.measure = async (act) => {
  const list = document.querySelector(".op-playground ol[aria-label='Tokens of the answer']");
  const card = document.querySelector(".op-playground .op-hero");
  const [gaps, tasks] = [[], []];
  let [running, before] = [true, performance.now()];
  const watchFrames = (now) => {
    gaps.push(now - before);
    before = now;
    if (running) requestAnimationFrame(watchFrames);
  };
  const long = new PerformanceObserver((entries) => {
    tasks.push(...entries.getEntries().map((entry) => entry.duration));
  });
  long.observe({ entryTypes: ["longtask"] });
  const first = new Promise((done) => {
    let emptied = false;
    const observer = new MutationObserver(() => {
      if (list.children.length === 0) emptied = true;
      else if (emptied) {
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => done(performance.now())));
      }
    });
    observer.observe(list, { childList: true });
  });
  await new Promise(requestAnimationFrame);
  const start = before = performance.now();
  requestAnimationFrame(watchFrames);
  act();
  const seconds = (await first - start) / 1000;
  const busy = () => card.getAttribute("aria-busy") === "true";
  while (busy()) await new Promise((wait) => { setTimeout(wait, 20); });
  running = false;
  long.disconnect();
  return { seconds, gap: Math.max(...gaps), task: Math.max(0, ...tasks) };
}"""
ASK = """(question) => measure(() => {
  const form = document.querySelector(".op-playground form");
  form.querySelector("input").value = question;
  form.requestSubmit();
})"""
GENERATE = """() => measure(() => {
  [...document.querySelectorAll(".op-playground button")]
    .find((button) => button.textContent === "Generate").click();
})"""
# The milliseconds of each pass after the prompt's.
PASSES = """(question) => {
  const { model, tokenizer, generate } = onePrompt;
  const settings = { temperature: 0, top_k: 0, top_p: 1, min_p: 0, order: [] };
  const ids = tokenizer.encode(question);
  const passes = generate(model("reference"), ids, 80, settings, () => 0.5);
  while (passes.next().value === null);
  const times = [];
  for (;;) {
    const start = performance.now();
    if (passes.next().done) return times;
    times.push(performance.now() - start);
  }
}"""

# For each slider and group of radio buttons, the median milliseconds from a move to the end of its
# redraw, which runs in a later microtask: see `watch` in explorers/kit/traits.js.
MOVES = """async () => {
  const timed = async (move) => {
    const start = performance.now();
    move();
    await null;
    return performance.now() - start;
  };
  const median = async (moves) => {
    const times = [];
    for (const move of [...moves, ...moves]) times.push(await timed(move));
    return times.sort((a, b) => a - b)[moves.length];
  };
  const places = Array.from({ length: 20 }, (_, i) => i);
  const slide = (slider) => places.map((i) => () => {
    slider.value = Number(slider.min) + i % (slider.max - slider.min + 1);
    slider.dispatchEvent(new Event("input"));
  });
  const press = (group) => Array.from(group.children, (button) => () => button.click());
  const all = (part) => Array.from(document.querySelectorAll(`.op-explorer ${part}`));
  const controls = [...all("input[type=range]").map(slide), ...all("[role=radiogroup]").map(press)];
  const medians = [];
  for (const moves of controls) medians.push(await median(moves));
  return medians;
}"""


def compressed(data: bytes) -> int:
    """The size that a compressing server sends; fonts are compressed already."""
    return min(len(data), len(gzip.compress(data, 9)))


def page_weights(browser, site: str, pages: list[str]) -> dict[str, dict[str, int]]:
    """Compressed bytes of a first visit, by page and type, and the number of its requests."""
    weights = {}
    for name in pages:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page, responses = context.new_page(), []
        page.on("response", lambda response, seen=responses: seen.append(response))
        page.goto(site + name, wait_until="networkidle")
        by_type = {"document": 0, "stylesheet": 0, "script": 0, "font": 0, "image": 0}
        for response in responses:
            kind = response.request.resource_type
            kind = kind if kind in by_type else "image"
            by_type[kind] += compressed(response.body()) if response.ok else 0
        weights[name] = by_type | {"requests": len(responses)}
        context.close()
    return weights


def measure_redraws(browser, site: str, pages: list[str]) -> dict[str, float]:
    """Milliseconds of the slowest control's median redraw, for each page with an explorer."""
    page, slowest = browser.new_page(viewport={"width": 1280, "height": 900}), {}
    for name in pages:
        page.goto(site + name, wait_until="networkidle")
        if medians := page.evaluate(MOVES):
            slowest[name] = max(medians)
    page.close()
    return slowest


def measure_model(browser, site: str) -> dict[str, float]:
    """How fast the playground answers, on a page that has loaded nothing and then again."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(120_000)
    page.goto(site + "book/index.html", wait_until="networkidle")
    page.add_script_tag(content=MEASURE)
    cold = page.evaluate(ASK, QUESTIONS[0])
    warm = [page.evaluate(ASK, question) for question in QUESTIONS * 2][len(QUESTIONS) :]
    again = [page.evaluate(GENERATE) for _ in range(ROUNDS)]
    passes = [ms for _ in range(ROUNDS) for ms in page.evaluate(PASSES, QUESTIONS[0])]
    return {
        "Run to first token, model not loaded (s)": cold["seconds"],
        "Run to first token, loaded (s)": statistics.median(run["seconds"] for run in warm),
        "Generate to first token, loaded (s)": statistics.median(run["seconds"] for run in again),
        "one cached token (ms)": statistics.median(passes),
        "longest frame while loading and answering (ms)": cold["gap"],
        "longest frame while answering, loaded (ms)": max(run["gap"] for run in warm + again),
        "longest task while answering, loaded (ms)": max(run["task"] for run in warm + again),
    }


AIMS = {
    "Run to first token, model not loaded (s)": 0.5,
    "Run to first token, loaded (s)": 0.5,
    "Generate to first token, loaded (s)": 0.5,
    "longest frame while answering, loaded (ms)": 50,
    "longest task while answering, loaded (ms)": 50,
}


def report(weights: dict, redraws: dict, model_bytes: int, speeds: dict) -> None:
    kinds = list(next(iter(weights.values())))
    heads = "".join(f"{kind[:8]:>10}" for kind in kinds)
    print(f"{'First view, gzipped KB':34}{'all':>8}{heads}")
    for name, by_type in weights.items():
        total = sum(by_type.values()) - by_type["requests"]
        cells = "".join(
            f"{by_type[kind] if kind == 'requests' else by_type[kind] / 1000:10.0f}"
            for kind in kinds
        )
        print(f"{name:34}{total / 1000:8.0f}{cells}")
    print(f"\n{'Redraw by the slowest control (ms)':50}{'measured':>10}{'aim':>8}")
    for name, value in redraws.items():
        print(f"{name:50}{value:10.2g}{16:8}")
    print(f"\n{'The model on demand':50}{'measured':>10}{'aim':>8}")
    print(f"{'gzipped (MB)':50}{model_bytes / 1e6:10.2f}{5:8}")
    for name, value in speeds.items():
        print(f"{name:50}{value:10.3g}{AIMS.get(name, ''):>8}")


def main() -> None:
    built = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else chromium.BUILT
    script = built / "_static" / "page_model.js"
    if not script.exists():
        sys.exit(f"{script} is missing: build the book first, with `make book`")
    pages = sorted(path.relative_to(built).as_posix() for path in built.glob("book/*.html"))
    with chromium.served(built) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(playwright), args=list(chromium.FLAGS)
        )
        weights = page_weights(browser, site, pages)
        redraws = measure_redraws(browser, site, pages)
        speeds = measure_model(browser, site)
        report(weights, redraws, compressed(script.read_bytes()), speeds)
        browser.close()


if __name__ == "__main__":
    main()
