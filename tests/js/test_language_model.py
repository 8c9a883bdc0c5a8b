"""explorers/kit/language_model.js: the notice shown while the model loads."""

import pytest

# A widget whose page loads the model, or fails to; and what `languageModel` sets, in order.
LOAD = """async ({ loaded, fails }) => {
  const changes = [];
  const widget = {
    set: (name, value) => changes.push([name, value]),
    page: async () => {
      if (fails) throw new Error("no connection");
      return "the model";
    },
  };
  globalThis.window = loaded ? { onePrompt: "the model" } : {};
  let result;
  try {
    result = await languageModel(widget);
  } catch (error) {
    result = error.message;
  }
  return [result, changes];
}"""
MODULE = "explorers/kit/language_model.js"
LOADING = "Loading the model (about 5 MB) …"


@pytest.mark.parametrize("fails", [False, True])
def test_the_notice_shows_while_the_model_loads(node, fails):
    result, changes = node.run(LOAD, MODULE, argument={"loaded": False, "fails": fails})
    assert result == ("no connection" if fails else "the model")
    assert changes == [
        ["loading", True], ["notice", LOADING], ["loading", False], ["notice", ""],
    ]  # fmt: skip


def test_a_loaded_model_needs_no_notice(node):
    argument = {"loaded": True, "fails": False}
    assert node.run(LOAD, MODULE, argument=argument) == ["the model", []]
