"""Measures of forecasts, of points and of distributions; each returns one number for each forecast.

Nothing is averaged over forecasts here, so that a mean, its interval or a bootstrap can be taken of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import beta, ndtr, stdtr

from gatelab.errors import ShapeError

Floats = NDArray[np.floating[Any]]


def seasonal_scale(series: ArrayLike, season: int = 1) -> float:
    """Return the mean absolute error of the seasonal-naive forecast within a series: what MASE divides by.

    mean of |y_t − y_{t−m}| over t = m … T − 1, with m the season.

    Parameters
    ----------
    series
        ``[T]`` the training part, T > m.
    season
        m, in steps; 1 is the naive forecast.

    Raises
    ------
    ShapeError
        The series is too short, or repeats itself, so that nothing could be scaled by it.

    Examples
    --------
    >>> seasonal_scale([1, 2, 4, 4, 6, 6], season=2)
    2.25

    Notes
    -----
    R. J. Hyndman and A. B. Koehler, "Another look at measures of forecast accuracy", International Journal of
    Forecasting 22, 2006, equation for MASE; with seasons in Hyndman and Athanasopoulos, "Forecasting", 5.8.
    """
    values = np.asarray(series, np.float64)
    if values.ndim != 1 or season < 1 or len(values) <= season:
        raise ShapeError(f"MASE: wanted a series of more than {season} steps, got shape {values.shape}")
    scale = float(np.abs(values[season:] - values[:-season]).mean())
    if not scale > 0:
        raise ShapeError(f"MASE: the series repeats itself after {season} steps; nothing can be scaled by 0")
    return scale


def pinball(actual: ArrayLike, forecast: ArrayLike, levels: ArrayLike) -> Floats:
    """Return the pinball (quantile) loss of quantiles, for each of them.

    (q − y)(1{y < q} − τ) for the quantile q of level τ: it is least, on average, at the true quantile.

    Parameters
    ----------
    actual
        ``[...]``
    forecast
        ``[..., Q]`` the quantiles.
    levels
        ``[Q]`` τ, each between 0 and 1.

    Returns
    -------
    array
        ``[..., Q]``

    Examples
    --------
    >>> pinball(2.0, [1.0, 3.0], [0.1, 0.9])
    array([0.1, 0.1])

    Notes
    -----
    R. Koenker and G. Bassett, "Regression Quantiles", Econometrica 46, 1978.
    """
    q, tau = _quantiles(forecast, levels)
    y = np.asarray(actual, np.float64)[..., None]
    return np.asarray((q - y) * ((y < q) - tau))


def crps_quantiles(actual: ArrayLike, forecast: ArrayLike, levels: ArrayLike) -> Floats:
    """Return the CRPS of forecasts that are given by quantiles: twice the pinball loss, over the levels.

    CRPS = 2 ∫ pinball_τ dτ; here each level stands for all levels that are nearer to it than to another one.

    Parameters
    ----------
    actual
        ``[...]``
    forecast
        ``[..., Q]`` quantiles.
    levels
        ``[Q]`` ascending, between 0 and 1.

    Notes
    -----
    F. Laio and S. Tamea, "Verification tools for probabilistic forecasts of continuous hydrological
    variables", Hydrology and Earth System Sciences 11, 2007.
    """
    tau = np.asarray(levels, np.float64)
    loss = pinball(actual, forecast, tau)
    edges = np.concatenate([[0.0], (tau[1:] + tau[:-1]) / 2, [1.0]])
    return np.asarray(2 * (loss * np.diff(edges)).sum(-1))


def crps_gaussian(actual: ArrayLike, mean: ArrayLike, std: ArrayLike) -> Floats:
    """Return the CRPS of normal distributions.

    σ [ z (2 Φ(z) − 1) + 2 φ(z) − 1/√π ] with z = (y − μ)/σ.

    Parameters
    ----------
    actual, mean, std
        Of shapes that broadcast; std above 0.

    Examples
    --------
    >>> round(float(crps_gaussian(0.0, 0.0, 1.0)), 6)
    0.233695

    Notes
    -----
    T. Gneiting et al., "Calibrated Probabilistic Forecasting Using Ensemble Model Output Statistics and
    Minimum CRPS Estimation", Monthly Weather Review 133, 2005, equation 5.
    """
    z, sigma = _standard(actual, mean, std)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return np.asarray(sigma * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi)))


def crps_student(actual: ArrayLike, location: ArrayLike, scale: ArrayLike, freedom: ArrayLike) -> Floats:
    """Return the CRPS of Student's t distributions with location and scale.

    σ [ z (2 F(z) − 1) + 2 f(z) (ν + z²)/(ν − 1) − 2 √ν/(ν − 1) · B(½, ν − ½)/B(½, ν/2)² ] with
    z = (y − μ)/σ, f and F the density and the distribution function of Student's t with ν degrees of freedom.

    Parameters
    ----------
    actual, location, scale, freedom
        Of shapes that broadcast; scale σ above 0 and freedom ν above 1, where the CRPS is finite.

    Examples
    --------
    >>> round(float(crps_student(0.0, 0.0, 1.0, 5.0)), 6)
    0.257025

    Notes
    -----
    A. Jordan, F. Krüger and S. Lerch, "Evaluating Probabilistic Forecasts with scoringRules", Journal of
    Statistical Software 90(12), 2019, appendix A; arXiv:1709.04743.
    """
    z, sigma = _standard(actual, location, scale)
    nu = np.asarray(freedom, np.float64)
    if not (nu > 1).all():
        raise ShapeError(f"CRPS: wanted degrees of freedom above 1, got {float(nu.min())}")
    density = (1 + z**2 / nu) ** (-(nu + 1) / 2) / (np.sqrt(nu) * beta(0.5, nu / 2))
    spread = 2 * np.sqrt(nu) / (nu - 1) * beta(0.5, nu - 0.5) / beta(0.5, nu / 2) ** 2
    inner = z * (2 * stdtr(nu, z) - 1) + 2 * density * (nu + z**2) / (nu - 1) - spread
    return np.asarray(sigma * inner)


def _quantiles(forecast: ArrayLike, levels: ArrayLike) -> tuple[Floats, Floats]:
    q, tau = np.asarray(forecast, np.float64), np.asarray(levels, np.float64)
    if tau.ndim != 1 or not len(tau) or q.shape[-1:] != tau.shape:
        raise ShapeError(f"quantiles: wanted [..., Q] for Q levels, got {q.shape} for {tau.shape}")
    if not ((tau > 0) & (tau < 1)).all() or (np.diff(tau) <= 0).any():
        raise ShapeError(f"quantiles: wanted ascending levels between 0 and 1, got {tau.tolist()[:5]}")
    return q, tau


def _standard(actual: ArrayLike, location: ArrayLike, scale: ArrayLike) -> tuple[Floats, Floats]:
    sigma = np.asarray(scale, np.float64)
    if not (sigma > 0).all():
        raise ShapeError(f"CRPS: wanted scales above 0, got {float(sigma.min())}")
    return np.asarray((np.asarray(actual) - np.asarray(location)) / sigma), sigma
