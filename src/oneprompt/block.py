"""A block of the transformer: steps 4 and 5, each added to what came in."""

from torch import Tensor, nn

from .attention import Attention
from .config import ModelConfig
from .feedforward import FeedForward
from .norm import Norm


class Block(nn.Module):
    """One transformer block: attention and feed-forward, each normed first and added back.

    With `post_norms`, what is added is normed too.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.norm1, self.attention = Norm(config), Attention(config)
        self.norm2, self.feedforward = Norm(config), FeedForward(config)
        post = (lambda: Norm(config)) if config.post_norms else nn.Identity
        self.post_norm1, self.post_norm2 = post(), post()
        self.parallel_residual = config.parallel_residual

    def forward(self, x: Tensor, turns, mask: Tensor | None, cache=None, layer=0) -> Tensor:
        """(B, T, D) -> (B, T, D)"""
        middle = x + self.post_norm1(self.attention(self.norm1(x), turns, mask, cache, layer))
        normed = self.norm2(x if self.parallel_residual else middle)
        return middle + self.post_norm2(self.feedforward(normed))
