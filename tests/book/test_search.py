"""The search answers as a reader expects: with sections and terms, in prose, the best one first."""

import pytest

N_FIRST = 3
# What is typed -> what one of the first results is; a page's name alone means any of its sections.
EXPECTED = {
    "causal mask": "glossary.html#causal-mask",
    "top-p": "07_sample.html",
    "temperature": "glossary.html#temperature",
    "what does temperature do": "07_sample.html",
    "RoPE": "glossary.html#rotary-position-embedding",
    "rotary position": "03_position.html",
    "kv cache": "glossary.html#kv-cache",
    "softmax": "glossary.html#softmax",
    "byte pair encoding": "glossary.html#byte-pair-encoding",
    "merges": "01_tokenize.html",
    "residual stream": "05_feedforward.html",
    "RMSNorm": "glossary.html#rmsnorm",
    "logits": "06_logits.html",
    "greedy decoding": "glossary.html#greedy-decoding",
    "speculative decoding": "glossary.html#speculative-decoding",
    "draft model": "glossary.html#draft-model",
    "induction head": "glossary.html#induction-head",
    "perplexity": "06_logits.html",
    "GGUF": "glossary.html#gguf",
    "nucleus sampling": "glossary.html#top-p-sampling",
    "grouped-query attention": "glossary.html#grouped-query-attention",
}


def results(page, site: str, query: str) -> list[str]:
    """The addresses of the results, best first."""
    page.goto(f"{site}search.html?q={query}")
    page.locator(".op-results li").first.wait_for()
    links = page.locator(".op-results li a")
    return [
        link.removeprefix(f"{site}book/") for link in links.evaluate_all("l => l.map(a => a.href)")
    ]


def test_what_is_expected_is_among_the_first_results(page, site):
    missed = {}
    for query, expected in EXPECTED.items():
        first = results(page, site, query)[:N_FIRST]
        if not any(found.startswith(expected) for found in first):
            missed[query] = first
    assert missed == {}


def test_a_concept_is_found_where_it_is_defined_and_where_it_is_explained(page, site):
    first, *others = results(page, site, "causal mask")[:N_FIRST]
    assert first == "glossary.html#causal-mask"
    assert any(found.startswith("04_attention.html#") for found in others)


def test_results_lead_to_sections_that_exist(page, site):
    for found in results(page, site, "attention")[:10]:
        page.goto(f"{site}book/{found}")
        assert page.evaluate("!location.hash || !!document.querySelector(location.hash)"), found


def test_results_quote_prose_and_no_button(page, site):
    quoted = ""
    for query in ("top-p", "softmax", "attention"):
        results(page, site, query)
        quoted += " ".join(page.locator(".op-results p").all_inner_texts())
    assert len(quoted) > 2000
    for odd in ("Colab", "Repository", "Open issue", "\\sqrt", "import ", "✓ checked", "<mark>"):
        assert odd not in quoted


def test_a_query_is_typed_once_and_stays_in_the_field(page, site):
    page.goto(f"{site}book/index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("causal mask")
    page.keyboard.press("Enter")
    page.locator(".op-results li").first.wait_for()
    assert page.locator(".bd-search-container input").input_value() == "causal mask"
    assert "results for “causal mask”" in page.locator("[role=status]").inner_text()


def test_what_nobody_wrote_is_not_found(page, site):
    page.goto(f"{site}search.html?q=<b>zzyzx</b>")
    status = page.locator("[role=status]", has_text="Nothing is found")
    status.wait_for()
    assert "<b>zzyzx</b>" in status.inner_text()


def test_from_a_folder_it_finds_pages(page, built_book):
    page.goto(f"{(built_book / 'search.html').as_uri()}?q=perplexity")
    page.locator("#search-results li a[href*='06_logits']").first.wait_for()


def test_results_do_not_move_the_page(page, site):
    page.add_init_script(
        "window.moved = 0; const add = (l) => l.getEntries().forEach((e) => { moved += e.value; });"
        "new PerformanceObserver(add).observe({type: 'layout-shift', buffered: true});"
    )
    results(page, site, "attention")
    page.wait_for_timeout(300)
    assert page.evaluate("moved") < 0.02


@pytest.mark.parametrize("width", [360, 1280])
def test_the_results_are_accessible(page, site, width):
    from axe_playwright_python.sync_playwright import Axe

    page.set_viewport_size({"width": width, "height": 900})
    results(page, site, "attention")
    assert Axe().run(page).response["violations"] == []
