"""A model and a tokenizer for the tests of the explorers, made in an instant."""

from types import SimpleNamespace

import torch

from oneprompt.explorers import SamplingExplorer

V = 300


class StandInTokenizer:
    """Words as tokens: token i is "word i", the first ones as given."""

    vocab_size = V

    def __init__(self, *first: str):
        self.first = first

    def encode(self, text):
        if not text:
            raise ValueError("the prompt is empty")
        return [len(word) for word in text.split()]

    def token_bytes(self, i):
        return (self.first[i] if i < len(self.first) else f" word{i}").encode()


class StandInModel:
    """Random logits that depend only on the length of the prompt."""

    config = SimpleNamespace(context_length=256)

    def __call__(self, ids):
        generator = torch.Generator().manual_seed(ids.shape[1])
        return 3 * torch.randn(1, ids.shape[1], V, generator=generator)


def make_explorer(*first_tokens, **settings):
    return SamplingExplorer(StandInModel(), StandInTokenizer(*first_tokens), **settings)


class CountedExplorer(SamplingExplorer):
    """Counts on the page how many of its views and listeners are alive."""

    _esm = (
        SamplingExplorer._esm.replace("export default ", "const explorer = ")
        + """
window.explorerViews ??= 0;
window.explorerListeners ??= 0;
export default {
  render({ model, el }) {
    const counted = new Proxy(model, {
      get(target, name) {
        if (name === "on") window.explorerListeners += 1;
        if (name === "off") window.explorerListeners -= 1;
        const value = target[name];
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const end = explorer.render({ model: counted, el });
    window.explorerViews += 1;
    return () => {
      end();
      window.explorerViews -= 1;
    };
  },
};
"""
    )
