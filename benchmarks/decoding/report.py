"""What was measured, as tables and as one picture."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.ticker import LogLocator, NullLocator

from oneprompt.notebook import style


def lines(results: dict) -> list[str]:
    """The report as text."""
    n, prompt = results["size"]["n_new"], results["size"]["prompt"]
    text = [results["machine"]["text"]]
    for name, found in results["decode"].items():
        text += rows(f"{name}: a token after a prompt of {prompt}", found["rows"], n)
    for name, found in results["prefill"].items():
        text += rows(f"{name}: a prompt of {found['tokens']}", found["rows"], n)
    text += ["", f"Milliseconds per token at lengths {results['lengths']['lengths']}"]
    for kind in ("with a cache", "without a cache"):
        found = results["lengths"][kind]
        text.append(f"  {kind:24}exponent {found['exponent']:.2f}  {numbers(found['ms'])}")
    text += ["", "Tokens per second by texts at once"]
    text += [f"  {B:>3} {rate:9.1f}" for B, rate in results["batches"].items()]
    for name, found in results["speculation"].items():
        text += rows(f"Speculation over the plain loop: {name}", found, n)
    text += ["", "Peak memory, MB"]
    text += [
        f"  {name:24}" + ", ".join(f"{side} {mb:,.0f}" for side, mb in peaks.items())
        for name, peaks in results["memory"].items()
    ]
    return text


def numbers(values: list[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in values)


def rows(title: str, found: dict[str, dict], n_ids: int) -> list[str]:
    """One line per way."""
    text = ["", title]
    for name, row in found.items():
        ms, ratio = row["ms"], row["speedup"]
        line = f"  {name:26}{ms['median']:10.2f} ms ({ms['low']:.2f} to {ms['high']:.2f})"
        line = f"{line:62}{ratio['median']:6.2f}x ({ratio['low']:.2f} to {ratio['high']:.2f})"
        text.append(line + details(row, n_ids))
    return text


def details(row: dict, n_ids: int) -> str:
    """What else is known of a way."""
    text = ""
    if "share_of_bound" in row:
        text += f"  {row['share_of_bound']:.2f} of the bound, {row['same_ids']} of {n_ids} ids"
    if "logit_difference" in row:
        text += f", logits within {row['logit_difference']:.1e} sd"
    if "tokens_per_pass" in row:
        text += f"  {row['tokens_per_pass']:.2f} tokens per pass"
    if "v" in row:
        text += f", accepted {row['acceptance']:.2f}, v {row['v']:.2f}, c {row['c']:.3f}"
        text += f", expected {row['expected_speedup']:.2f}x"
    if not row.get("texts_are_equal", True):
        text += "  ANOTHER TEXT"
    return text


def draw(results: dict, path: Path) -> None:
    """Write the picture: speed beside `transformers`, growth with the length, and speculation."""
    settings = style.RC_PARAMS | {"svg.hashsalt": "decoding", "figure.figsize": (4.8, 8)}
    with mpl.rc_context(settings):
        rows, heights = [["speed"], ["speculation"], ["length"]], [3, 1.2, 2.4]
        figure, places = plt.subplot_mosaic(rows, height_ratios=heights)
        draw_speed(places["speed"], results["decode"])
        draw_lengths(places["length"], results["lengths"])
        draw_speculation(places["speculation"], results["speculation"])
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


def bars(place, names: list[str], speedups: list[dict], colors) -> None:
    """Bars with the middle half as a line; 1 is marked."""
    places = range(len(names))
    place.barh(places, [s["median"] for s in speedups], color=colors, height=0.7)
    place.hlines(places, [s["low"] for s in speedups], [s["high"] for s in speedups],
                 color=style.INK, linewidth=1)  # fmt: skip
    place.set_yticks(places, names)
    place.invert_yaxis()
    place.axvline(1, color=style.INK, linewidth=0.8, linestyle="--")


def draw_speed(place, decode: dict) -> None:
    labels = [
        (f"{name}, {way.split()[1]}", way.split()[1], row["speedup"])
        for name, found in decode.items()
        for way, row in found["rows"].items()
        if way.startswith("oneprompt")
    ]
    colors = dict(zip(("fp32", "bf16", "int8"), style.PALETTE.values(), strict=False))
    names, kinds, speedups = zip(*labels, strict=True)
    bars(place, names, speedups, [colors[kind] for kind in kinds])
    place.set_title("Tokens per second\n(transformers in fp32 = 1)")


def draw_lengths(place, found: dict) -> None:
    for kind in ("without a cache", "with a cache"):
        place.loglog(found["lengths"], found[kind]["ms"], marker="o")
        end = found["lengths"][-1], found[kind]["ms"][-1]
        label = f"{kind}:\nlength$^{{{found[kind]['exponent']:.1f}}}$"
        beside = {"xytext": (8, 0), "textcoords": "offset points", "va": "center"}
        place.annotate(label, end, **beside, annotation_clip=False)
    place.set_xticks(found["lengths"], found["lengths"])
    place.xaxis.set_minor_locator(NullLocator())
    place.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    place.yaxis.set_major_formatter("{x:g}")
    place.yaxis.set_minor_locator(NullLocator())
    place.set(xlabel="length of the text, tokens", title="Milliseconds per token,\nGPT-2's shape")


def draw_speculation(place, speculation: dict) -> None:
    """The best gamma of each way to draft."""
    best = {}
    for rows_ in speculation.values():
        for name, row in rows_.items():
            kind = name.partition(", gamma")[0]
            if "v" in row and row["speedup"]["median"] > best.get(kind, {"median": 0})["median"]:
                best[kind] = row["speedup"]
    bars(place, list(best), list(best.values()), style.PALETTE["green"])
    place.set_title("Tokens per second with speculation\n(the plain loop = 1)")
