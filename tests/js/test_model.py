"""The forward pass in JavaScript gives the numbers that PyTorch gives."""

import torch
from questions import QUESTIONS


def test_logits_attention_and_hidden_values_equal_pythons(in_node, model, tokenizer):
    prompts = [tokenizer.encode(text) for text in (*QUESTIONS[:49], " ".join(QUESTIONS[:24]))]
    assert len(prompts[-1]) > 100
    found = in_node(
        """(prompts) => prompts.map((ids) => {
          const model = onePrompt.model("reference");
          const { final_norm, layers } = onePrompt.forward(model, ids);
          const logits = onePrompt.toLogits(model, final_norm, ids.length);
          return [logits.slice(-3 * 2048), layers.at(-1).weights, layers[0].hidden.slice(0, 768)];
        })""",
        prompts,
    )
    for ids, (logits, weights, hidden) in zip(prompts, found, strict=True):
        trace = model.trace(torch.tensor([ids]))
        torch.testing.assert_close(
            torch.tensor(logits), trace.logits[0, -3:].flatten(), rtol=0, atol=1e-3
        )
        expected = trace.layers[-1].weights.flatten()
        torch.testing.assert_close(torch.tensor(weights), expected, rtol=0, atol=1e-4)
        expected = trace.layers[0].hidden[0, 0]
        torch.testing.assert_close(torch.tensor(hidden), expected, rtol=0, atol=1e-4)


def test_linear_equals_torchs_and_each_row_alone_has_the_same_bits(in_node):
    generator = torch.Generator().manual_seed(0)
    for T, I, O in ((1, 3, 1), (2, 8, 6), (3, 5, 7), (4, 4, 9), (9, 6, 11)):
        x, W, b = (torch.randn(shape, generator=generator) for shape in ((T, I), (O, I), (O,)))
        together, alone, without_bias = in_node(
            """({ x, W, b, I }) => {
              [x, W, b] = [x, W, b].map((values) => Float32Array.from(values));
              const rows = [];
              for (let t = 0; t < x.length; t += I) {
                rows.push(...onePrompt.linear(x.subarray(t, t + I), W, b, I));
              }
              return [onePrompt.linear(x, W, b, I), rows, onePrompt.linear(x, W, null, I)];
            }""",
            {"x": x.flatten().tolist(), "W": W.flatten().tolist(), "b": b.tolist(), "I": I},
        )
        assert together == alone
        for found, bias in ((together, b), (without_bias, None)):
            expected = torch.nn.functional.linear(x, W, bias).flatten()
            # float32 sums against sums of float64, of at most 8 products near 1
            torch.testing.assert_close(torch.tensor(found), expected, rtol=0, atol=1e-5)
