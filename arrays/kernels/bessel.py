"""Bessel functions of the orders 0 and 1, and modified ones of any whole order.

The coefficients are those of Chebyshev polynomials, made for this file in 40 digits; the comments say of what. Formulas
are numbered as in Abramowitz and Stegun, Handbook of Mathematical Functions, 1964. Computed in double precision.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import Array
from .pieces import chebyshev, piecewise

_NEAR = 8.0
"""Up to here J and Y are computed by x², from here on by amplitude and phase."""

_ZEROS = ((2.404825557695773, 5.520078110286311), (3.831705970207512, 7.015586669815619))

# J0 and J1 / x, divided by the polynomial in x² of their first two zeros, by x² / 32 - 1
_J = (
    (
        0.0019903555001601486, -0.002620939138497025, 0.0008687721472062577, -0.00017040584951557357,
        2.204908639454817e-05, -2.0248894980012834e-06, 1.3898025173428905e-07, -7.406701254344167e-09,
        3.1559927583611334e-10, -1.1003860827939697e-11, 3.1989232970233477e-13, -7.875041254709154e-15,
        1.6632588015211278e-16, -3.0475993756698376e-18, 4.8912290055811176e-20,
    ),
    (
        0.00027895709887613106, -0.0003115684036643562, 8.553646588540538e-05, -1.4149356425623485e-05,
        1.576470099225889e-06, -1.269075502369425e-07, 7.747614077073057e-09, -3.716577146675772e-10,
        1.4395417669312554e-11, -4.60007822413452e-13, 1.2341465589619718e-14, -2.8205466239524856e-16,
        5.558821065951572e-18, -9.546930865755219e-20, 1.4418291781315051e-21,
    ),
)  # fmt: skip
# Y0 - 2/pi log(x) J0, and (Y1 - 2/pi (log(x) J1 - 1/x)) / x, by x² / 32 - 1
_Y = (
    (
        -0.03314611320328494, -0.2744743055297453, 0.17903431407718265, 0.26156734625504663,
        -0.17730201278114358, 0.04719668959576339, -0.007287962479552079, 0.0007531135932577742,
        -5.632079141056987e-05, 3.206532537654801e-06, -1.44072332740187e-07, 5.248794787330516e-09,
        -1.5837552541812015e-10, 4.02633081830612e-12, -8.747341203310769e-14, 1.6434898714919468e-15,
        -2.6977881152566837e-17,
    ),
    (
        0.0025380132357417816, -0.01608717304766875, -0.09591204536083074, 0.08445197259652346,
        -0.028328123944594365, 0.005289897544167113, -0.0006414551451326356, 5.505982873338744e-05,
        -3.53808001868935e-06, 1.7707804556154404e-07, -7.11055004989928e-09, 2.344337905911516e-10,
        -6.4651518414115946e-12, 1.51429151205002e-13, -3.0511859694473254e-15, 5.34668038572867e-17,
        -8.224911372021585e-19,
    ),
)  # fmt: skip
# P and x Q, where sqrt(pi x / 2) (J + iY) = (P + iQ) exp(i phase), by 128 / x² - 1 (9.2.5, 9.2.6)
_P = (
    (
        0.9994603493475187, -0.0005365220468132117, 3.0751847875194745e-06, -5.1705945376060975e-08,
        1.6306464635151382e-09, -7.86409137723707e-11, 5.168262387349193e-12, -4.3045788699253914e-13,
        4.3265957431549404e-14, -5.069034095935236e-15, 6.748072215733873e-16, -1.0011513723467786e-16,
        1.6305919233744186e-17, -2.880866169482871e-18,
    ),
    (
        1.0009030408600137, 0.0008989898330859408, -3.987284300488908e-06, 6.177633960644299e-08,
        -1.8718907491063067e-09, 8.816898659582339e-11, -5.704863640395645e-12, 4.699195515230542e-13,
        -4.6842237839904895e-14, 5.452674896044717e-15, -7.221180842274018e-16, 1.0667689114335412e-16,
        -1.7312313216116335e-17, 3.0492991197665872e-18,
    ),
)  # fmt: skip
_Q = (
    (
        -0.12444683684269607, 0.0005470815954089319, -5.9315987288485175e-06, 1.4377965798375193e-07,
        -5.817532749493056e-09, 3.376097523734991e-10, -2.565397936797308e-11, 2.404916100281365e-12,
        -2.6690625482579414e-13, 3.4041800321963686e-14, -4.87994410531204e-15, 7.729703176242605e-16,
        -1.3348852171502517e-16, 2.4865952389390515e-17, -4.952892629886516e-18, 1.0473158973776097e-18,
    ),
    (
        0.3742222965562826, -0.0007702178839325664, 7.3108922063643636e-06, -1.676782510726674e-07,
        6.583354662120443e-09, -3.749090950541556e-10, 2.8121750359748866e-11, -2.61145253946232e-12,
        2.8774212663332235e-13, -3.649001916061838e-14, 5.206626366226707e-15, -8.215318025458595e-16,
        1.4141084390211833e-16, -2.626761589838529e-17, 5.2192649196714085e-18, -1.101261718787959e-18,
    ),
)  # fmt: skip
# K0 + log(x/2) I0, and x K1 - x log(x/2) I1, by x² / 2 - 1; then sqrt(x) exp(x) K by 4 / x - 1
_K = (
    (
        -0.2676636966169514, 0.3442898999246285, 0.0359799365153615, 0.001264615411446926,
        2.286212103119452e-05, 2.5347910790261494e-07, 1.904516377220209e-09, 1.0349695257633625e-11,
        4.2598161427910826e-14, 1.3744654358807508e-16,
    ),
    (
        0.7626501136694739, -0.3531559607765449, -0.12261118082265715, -0.006975723859639864,
        -0.0001730288957513052, -2.4334061415659684e-06, -2.213387630734726e-08, -1.4114883926335278e-10,
        -6.666901694199329e-13, -2.427449850519366e-15, -7.023863479386288e-18,
    ),
)  # fmt: skip
_K_FAR = (
    (
        1.2201515410329777, -0.0314481013119645, 0.0015698838857300533, -0.00012849549581627802,
        1.39498137188765e-05, -1.8317555227191195e-06, 2.766813639445015e-07, -4.660489897687948e-08,
        8.574034017414225e-09, -1.6975345093890614e-09, 3.5773972814003283e-10, -7.957489244477396e-11,
        1.8559491149549264e-11, -4.514597883374519e-12, 1.1403405882073441e-12, -2.9800969231481784e-13,
        8.032890775068375e-14, -2.2275133267462965e-14, 6.340076476276646e-15, -1.848593377920907e-15,
        5.5120559994043335e-16, -1.6782311257549006e-16, 5.2103917776435543e-17, -1.6475805939842632e-17,
        5.3004337711773354e-18,
    ),
    (
        1.3603130952422213, 0.10392373657681724, -0.002857816859622779, 0.00019521551847135162,
        -1.936197974166083e-05, 2.406484947837217e-06, -3.5019606030878126e-07, 5.7410841254500495e-08,
        -1.0345762465678097e-08, 2.0150497551970347e-09, -4.1903547593419254e-10, 9.218315187605315e-11,
        -2.129967838427791e-11, 5.139639673482343e-12, -1.2891739609498229e-12, 3.348419666052243e-13,
        -8.976705182010146e-14, 2.4771544242195988e-14, -7.0198370892147685e-15, 2.038703166239861e-15,
        -6.057047270643018e-16, 1.8380935752430455e-16, -5.689462849193648e-17, 1.7940510478863572e-17,
        -5.7567444820733025e-18,
    ),
)  # fmt: skip


# ------------------------------------------------------------------ J and Y


def _near_j(x: Array, order: int) -> Array:
    first, second = _ZEROS[order]
    found = (x - first) * (x + first) * ((x - second) * (x + second)) * chebyshev(_J[order], x * x / 32 - 1)
    return found * x if order else found


def _near_y(x: Array, order: int) -> Array:
    rest = chebyshev(_Y[order], x * x / 32 - 1)
    main = np.log(x) * _near_j(x, order)
    return 2 / math.pi * (main - 1 / x) + rest * x if order else 2 / math.pi * main + rest


def _waves(x: Array, order: int, second: bool) -> Array:
    """Return J, or Y if ``second``, of large ``x``."""
    inverse = 1 / x
    t = 128 * inverse * inverse - 1
    p, q = chebyshev(_P[order], t), chebyshev(_Q[order], t) * inverse
    even, odd = np.cos(x), np.sin(x)
    cosine, sine = (odd - even, -even - odd) if order else (even + odd, odd - even)  # of the phase, times sqrt(2)
    found: Array = (p * sine + q * cosine if second else p * cosine - q * sine) * np.sqrt(inverse / math.pi)
    return np.where(np.isinf(x), 0.0, found)


def bessel_j(x: Any, order: int) -> Array:
    """Return the Bessel function of the first kind of ``order`` 0 or 1, in the dtype of ``x``."""
    found = piecewise(np.abs(x), (_NEAR,), lambda t: _near_j(t, order), lambda t: _waves(t, order, False))
    return np.where(np.signbit(x), -found, found).astype(x.dtype) if order else found.astype(x.dtype)


def bessel_y(x: Any, order: int) -> Array:
    """Return the Bessel function of the second kind of ``order`` 0 or 1: -inf at 0, NaN below."""
    found = piecewise(
        x,
        (0.0, 5e-324, _NEAR),
        lambda t: np.full_like(t, np.nan),
        lambda t: np.full_like(t, -np.inf),
        lambda t: _near_y(t, order),
        lambda t: _waves(t, order, True),
    )
    return found.astype(x.dtype)


def spherical_bessel_j0(x: Any) -> Array:
    """Return ``sin(x) / x``: 1 at 0, and 0 at the infinities."""
    wide = np.asarray(x, np.float64)
    found = np.where(np.isinf(wide), 0.0, np.sin(wide) / np.where(wide == 0, 1.0, wide))
    return np.where(wide == 0, 1.0, found).astype(x.dtype)


# ------------------------------------------------------------------ I and K


def _near_i(x: Array, order: int) -> Array:
    """Return I by its power series, whose terms have one sign (9.6.10)."""
    t = x * x / 4
    total = term = (x / 2) ** order / math.factorial(order)
    for k in range(1, 14 + 2 * int(x.max(initial=0)) + order):
        term = term * (t / (k * (k + order)))
        total = total + term
    return total


def _far_i(x: Array, order: int) -> Array:
    """Return ``exp(-x)`` times I for large ``x``, by its asymptotic series (9.7.1)."""
    total = np.ones_like(x)
    for k in range(24 + order, 0, -1):
        total = 1 - total * (4.0 * order * order - (2 * k - 1) ** 2) / (8 * k) / x
    return total / np.sqrt(2 * math.pi * x)


def bessel_i(x: Any, order: int, scaled: bool) -> Array:
    """Return the modified Bessel function of the first kind, times ``exp(-|x|)`` if ``scaled``."""

    def near(t: Array) -> Array:
        return _near_i(t, order) * np.exp(-t) if scaled else _near_i(t, order)

    def far(t: Array) -> Array:
        half = np.exp(t / 2)  # in two factors, since exp(x) overflows first
        return _far_i(t, order) if scaled else _far_i(t, order) * half * half

    found = piecewise(np.abs(x), (4.0, 10.0, 20.0), near, near, near, far)
    return np.where(np.signbit(x), -found, found).astype(x.dtype) if order % 2 else found.astype(x.dtype)


def _near_k(x: Array, order: int) -> Any:
    rest, logarithm = chebyshev(_K[order], x * x / 2 - 1), np.log(x / 2)
    return rest / x + logarithm * _near_i(x, 1) if order else rest - logarithm * _near_i(x, 0)


def bessel_k(x: Any, order: int, scaled: bool) -> Array:
    """Return the modified Bessel function of the second kind of ``order`` 0 or 1, times ``exp(x)`` if ``scaled``.

    inf at 0, NaN below.
    """

    def near(t: Array) -> Array:
        found: Array = _near_k(t, order) * np.exp(t) if scaled else _near_k(t, order)
        return found

    def far(t: Array) -> Array:
        found: Array = chebyshev(_K_FAR[order], 4 / t - 1) / np.sqrt(t)
        return found if scaled else found * np.exp(-t)

    found = piecewise(
        x, (0.0, 5e-324, 2.0), lambda t: np.full_like(t, np.nan), lambda t: np.full_like(t, np.inf), near, far
    )
    return found.astype(x.dtype)
