"""The build's formulas come from one Node, over pipes."""

import importlib.util

import pytest
from pages import ROOT
from sphinxcontrib import katex


@pytest.fixture
def server():
    spec = importlib.util.spec_from_file_location("offline", ROOT / "book/_ext/katex_offline.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    server = module.PipedServer()
    with server.process as process:
        yield server
        process.kill()


@pytest.fixture
def render(server, monkeypatch):
    monkeypatch.setattr(katex.KaTeXServer, "get", lambda: server)
    return katex.render_latex


def test_formulas_come_back_in_order(render):
    formulas = [r"\frac{1}{2}", "a\nb", "α→β", r"\frac{", r"\text{𝒳}"]  # the fourth is marked
    for _ in range(20):
        rendered = [render(formula, {"displayMode": True}) for formula in formulas]
        assert ["katex-error" in html for html in rendered] == [False, False, False, True, False]
        assert 'encoding="application/x-tex">α→β<' in rendered[2]
        assert all("katex-display" in html for html in rendered[:3])


def test_an_error_is_raised_and_the_next_formula_is_rendered(render):
    with pytest.raises(katex.KaTeXError, match="KaTeX parse error"):
        render(r"\frac{", {"throwOnError": True})
    assert "katex" in render("x")


def test_node_ends_with_the_build(render, server):
    render("x")
    server.process.stdin.close()
    assert server.process.wait(timeout=20) == 0


def test_a_node_that_has_ended_is_named(render, server):
    server.process.stdin.write("no JSON\n")
    with pytest.raises(katex.KaTeXError, match="Node has ended with code 1"):
        render("x")
