"""Do counts agree with exact probabilities? Pearson's chi-square test."""

from collections import Counter
from collections.abc import Hashable

from scipy import stats

# A correct implementation fails a test at this level once in 10,000 seeds, and the seeds are fixed:
# a failure is a change in the code. The mistakes that the tests look for give p < 1e-9.
SIGNIFICANCE = 1e-4


def p_value(counts: Counter, expected: dict[Hashable, float]) -> float:
    """The probability of counts at least this far from what is expected.

    Args:
        counts: outcome -> how often it came.
        expected: outcome -> its exact probability; all together 1.

    Returns:
        0 where an outcome of probability 0 occurred at all.
    """
    if not all(expected.get(outcome) for outcome in counts):
        return 0.0
    n = counts.total()
    ordered = sorted((n * p, counts[outcome]) for outcome, p in expected.items() if p > 0)
    # Chi-square is an approximation that needs about 5 expected counts per bin: merge the rarest.
    merged, bins = (0.0, 0), []
    for pair in ordered:
        if merged[0] < 5:
            merged = (merged[0] + pair[0], merged[1] + pair[1])
        else:
            bins.append(pair)
    expected_counts, observed = zip(*bins, merged, strict=True)
    return stats.chisquare(observed, expected_counts).pvalue
