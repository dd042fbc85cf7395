import pytest

from gatelab.errors import ShapeError
from gatelab.stats.proportion import wilson


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_published_examples(count, n, low, high):
    """Newcombe 1998, table I, method 3."""
    share = wilson(count, n)
    assert (share.low, share.high) == pytest.approx((low, high), abs=5e-5)
    assert (share.value, share.count, share.n) == (count / n, count, n)


def test_is_scipys_and_mirrored():
    from scipy.stats import binomtest

    for count, n, level in ((3, 40, 0.9), (0, 7, 0.99), (7, 7, 0.95)):
        wanted = binomtest(count, n).proportion_ci(level, "wilson")
        share, other = wilson(count, n, level), wilson(n - count, n, level)
        assert (share.low, share.high) == pytest.approx((wanted.low, wanted.high))
        assert (share.low, share.high) == pytest.approx((1 - other.high, 1 - other.low))
        assert share.holds(count / n)


@pytest.mark.parametrize(("count", "n", "level"), [(0, 0, 0.9), (3, 2, 0.9), (-1, 2, 0.9), (1, 2, 1.0)])
def test_refusals(count, n, level):
    with pytest.raises(ShapeError, match="wanted"):
        wilson(count, n, level)
