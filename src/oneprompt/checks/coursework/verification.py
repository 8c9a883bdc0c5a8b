"""What a pass of the target makes of drafted ids, right and with the likely mistakes."""

from collections.abc import Iterator, Sequence

from torch import Tensor

from oneprompt.sample import draw
from oneprompt.speculate import residual

MISTAKES = (
    ({"from_p": True}, "after a rejection p itself was drawn from, so tokens that the draft "
     "proposes often come too often: subtract q first"),
    ({"keep_all": True}, "everything is kept: that gives the draft's text"),
    ({"upside_down": True}, "the ratio is upside down: keep with probability p / q"),
    ({"replace": False}, "after a rejection an id is drawn from the residual: it is missing"),
    ({"row": 1}, "the residual is that of the rejected id: a row too late"),
    ({"row": -1}, "the residual is that of the rejected id: a row too early"),
    ({"best": True}, "the likeliest id of the residual was taken: draw one"),
    ({"same_u": True},
     "the last random number was used a second time: the draw needs its own"),
    ({"rejected": True}, "the rejected id is in the text"),
    ({"bonus": False},
     "when all are kept, the same pass gives one more id, from the last row of p"),
    ({"bonus_row": -2}, "the additional id is drawn from the last row of p: a row too early"),
    ({"bonus_row": 0},
     "the additional id is drawn from the last row of p, and not from the first"),
)  # fmt: skip


def verified(p: Sequence[Tensor], q: Sequence[Tensor], drafted: list[int],
             source: Iterator[float], *, bonus=True, bonus_row=-1, replace=True, from_p=False,
             row=0, best=False, same_u=False, rejected=False, keep_all=False, upside_down=False,
             ) -> list[int]:  # fmt: skip
    """The new ids; each setting can introduce a mistake."""
    new = []
    for i, token in enumerate(drafted):
        u, a, b = next(source), p[i][token], q[i][token]
        if (u * a >= b if upside_down else u * b >= a) and not keep_all:
            at = min(max(i + row, 0), len(drafted) - 1)
            left = p[i] if from_p else residual(p[at], q[at])
            new += [token] if rejected else []
            if best:
                return [*new, int(left.argmax())]
            return [*new, draw(left, u if same_u else next(source))] if replace else new
        new.append(token)
    return [*new, draw(p[max(bonus_row, -len(p))], next(source))] if bonus or not drafted else new
