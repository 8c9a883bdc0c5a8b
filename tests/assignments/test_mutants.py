"""Every assignment against known solutions: right, untouched, wrong, and shortcuts."""

import pytest
from coursework import STEMS, edited, full_points, grade, module, solutions, stubs, total

MUTANTS = {stem: module(f"mutants/{stem}_mutants.py") for stem in STEMS}


def listed(*kinds: str) -> list:
    return [
        pytest.param(stem, mutant, id=f"{stem}: {mutant.name}")
        for stem in STEMS
        for kind in kinds
        for mutant in getattr(MUTANTS[stem], kind)
    ]


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("student", ["ada", "Grace Hopper 1906"])
def test_the_right_solutions_get_full_points(stem, student):
    results = grade(stem, solutions(stem), student)
    assert {name: result.points for name, result in results.items()} == full_points(stem), results


@pytest.mark.parametrize("stem", STEMS)
def test_an_untouched_notebook_gets_no_points_and_is_told_so(stem):
    results = grade(stem, stubs(stem))
    assert total(results) == 0
    assert {result.message for result in results.values()} == {"AssertionError: not attempted yet."}


@pytest.mark.parametrize(("stem", "mutant"), listed("WRONG", "SHORTCUTS"))
def test_a_wrong_solution_gets_its_points_and_is_told_why(stem, mutant):
    results = grade(stem, edited(stem, mutant.edits))
    messages = [result.message for result in results.values() if result.message]
    assert (total(results), bool(messages)) == (mutant.points, mutant.says != ""), messages
    assert any(mutant.says in message for message in messages) or not mutant.says, messages


@pytest.mark.parametrize(("stem", "mutant"), listed("RIGHT"))
def test_a_right_solution_in_another_form_gets_full_points(stem, mutant):
    results = grade(stem, edited(stem, mutant.edits))
    assert {name: result.points for name, result in results.items()} == full_points(stem), results
    assert mutant.points == total(results)


@pytest.mark.parametrize("stem", STEMS)
def test_there_are_enough_mutants(stem):
    mutants = MUTANTS[stem]
    assert len(mutants.WRONG) >= 8
    assert len(mutants.SHORTCUTS) >= 4
    assert len(mutants.RIGHT) >= 2
