"""Settings of the sampler in the form that JavaScript takes, and as Python's `Sampling`."""

from oneprompt.sample import Sampling

NAMES = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty", "order")
ORDERS = (
    Sampling().order,
    ("top_p", "repetition_penalty", "min_p", "temperature", "top_k"),
)
GRID = [
    dict(zip(NAMES, (*values, order), strict=True))
    for order in ORDERS
    for values in ((0.0, 0, 1, 0, 1.0), (1.0, 0, 1, 0, 1.0), (0.7, 20, 0.9, 0.02, 1.3),
                   (1.5, 0, 0.6, 0, 1.1), (2.0, 5, 1, 0.3, 0.8), (1.0, 1, 0.5, 0, 2.0))
]  # fmt: skip
OFF = {"top_k": 0, "top_p": 1, "min_p": 0}  # in JavaScript; Python's None


def sampling_of(settings: dict) -> Sampling:
    return Sampling(
        **{
            name: None if name in OFF and value == OFF[name] else value
            for name, value in settings.items()
        }
    )
