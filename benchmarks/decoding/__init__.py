"""How fast the engine decodes, beside `transformers`, measured side by side in one run."""
