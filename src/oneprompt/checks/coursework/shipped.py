"""The shipped models as weights and sizes, and the pass that the final project asks for."""

import torch
import torch.nn.functional as F
from torch import Tensor

from oneprompt.attention import causal_mask, merge_heads, split_heads
from oneprompt.attention import scaled_dot_product_attention as attend
from oneprompt.model import ModelConfig, Transformer
from oneprompt.position import rope_frequencies, rotate

from .reference import reference

SIZES = ("n_layers", "n_heads", "head_dim", "rope_theta", "norm_eps", "context_length")
Model = tuple[dict[str, Tensor], dict]

MISTAKES = {
    "start": "the positions start at 0 in every call: they go on behind those in the cache",
    "unturned": "queries and keys are not turned: RoPE is missing",
    "pairing": "the wrong numbers form pairs: RoPE turns number i together with number i + d / 2",
    "turned values": "the values were turned too: RoPE turns queries and keys only",
    "mask": "nothing hides later positions",
    "first mask": "the first new id sees every earlier position and itself: the mask of new ids is "
    "shifted by what the cache holds",
    "scale": "the scores are not divided by √d",
    "no norms": "the norms in front of attention and feed-forward are missing",
    "no residual": "what a part gives has to be added to what it was given",
    "attention alone": "what attention gives has to be added to what it was given",
    "feed-forward alone": "what feed-forward gives has to be added to what it was given",
    "gelu": "this is another GELU: the model uses the form with tanh",
    "relu": "the activation is a ReLU: the model uses GELU, in the form with tanh",
    "bias": "the biases of the linear maps are left out",
    "final norm": "the last norm, in front of the logits, is missing",
    "forgets": "the keys and values of earlier positions are not used",
}


def shipped(name: str = "reference") -> Model:
    """A shipped model, "reference" or "draft": its weights by name, and its sizes."""
    return parts_of(reference(name))


def parts_of(model: Transformer) -> Model:
    """The weights of a model by name, and its sizes."""
    return dict(model.state_dict()), {name: getattr(model.config, name) for name in SIZES}


def small_model(near: float = 0.0) -> Transformer:
    """A small random model with the parts of the reference model and other sizes.

    Args:
        near: how much random noise its weights have; the same model for 0.
    """
    config = ModelConfig(
        vocab_size=41, context_length=32, d_model=24, n_layers=2, n_heads=3, n_kv_heads=3,
        head_dim=8, d_ff=40, position="rope", rope_theta=500.0, norm="layernorm",
        norm_eps=1e-4, activation="gelu_tanh", bias=True, qkv_bias=True,
    )  # fmt: skip
    model = Transformer(config).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for p in model.parameters():
        p.copy_(0.4 * torch.randn(p.shape, generator=generator))
    for p in model.parameters():
        p.add_(near * torch.randn(p.shape, generator=generator))
    return model


@torch.no_grad()
def forward(weights: dict, sizes: dict, ids: list[int], cache: list, wrong: str = "") -> Tensor:
    """Logits (T, V) of ids that follow what the cache holds; `wrong` is one of MISTAKES.

    Args:
        weights, sizes: as `shipped` gives them.
        ids: the T new ids.
        cache: for each layer None, or keys and values (1, H, S, d); replaced by longer ones.
    """
    d, T = sizes["head_dim"], len(ids)
    S = 0 if cache[0] is None else cache[0][0].shape[2]
    start = 0 if wrong == "start" else S
    angles = torch.arange(start, start + T)[:, None] * rope_frequencies(d, sizes["rope_theta"])
    pairing = "interleaved" if wrong == "pairing" else "halves"

    def linear(x: Tensor, name: str) -> Tensor:
        bias = None if wrong == "bias" else weights[f"{name}.bias"]
        return F.linear(x, weights[f"{name}.weight"], bias)

    def norm(x: Tensor, name: str) -> Tensor:
        if wrong == ("final norm" if name == "final_norm" else "no norms"):
            return x
        parts = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return F.layer_norm(x, x.shape[-1:], *parts, sizes["norm_eps"])

    x = weights["embedding"][torch.tensor(ids)][None]
    for layer in range(sizes["n_layers"]):
        block = f"blocks.{layer}"
        normed = norm(x, f"{block}.norm1")
        q, k, v = (
            split_heads(linear(normed, f"{block}.attention.{name}"), sizes["n_heads"])
            for name in ("query", "key", "value")
        )
        if wrong != "unturned":
            q, k = (rotate(part, angles, pairing) for part in (q, k))
        v = rotate(v, angles) if wrong == "turned values" else v
        q = q * d**0.5 if wrong == "scale" else q
        if cache[layer] is not None and wrong != "forgets":
            k, v = (torch.cat(pair, dim=2) for pair in zip(cache[layer], (k, v), strict=True))
        cache[layer] = k, v
        mask = torch.ones(T, k.shape[2]).tril().bool() if wrong == "first mask" else None
        mask = causal_mask(T, k.shape[2]) if wrong not in ("mask", "first mask") else mask
        heads = attend(q, k, v, mask)
        added = linear(merge_heads(heads), f"{block}.attention.output")
        x = added if wrong in ("no residual", "attention alone") else x + added
        wide = linear(norm(x, f"{block}.norm2"), f"{block}.feedforward.up")
        wide = F.relu(wide) if wrong == "relu" else F.gelu(
            wide, approximate="none" if wrong == "gelu" else "tanh"
        )  # fmt: skip
        added = linear(wide, f"{block}.feedforward.down")
        x = added if wrong in ("no residual", "feed-forward alone") else x + added
    return (norm(x, "final_norm") @ weights["embedding"].T)[0]
