"""The in-place methods of tensors as functions: ``torch.exp_(x)`` is ``x.exp_()``."""

from __future__ import annotations

from typing import Any

from .predicates import checked
from .tensor.methods import Tensor


def _twin(name: str) -> Any:
    """Return the function that calls the method ``name`` of its first argument, a tensor."""
    method = getattr(Tensor, name)

    def function(input: Any, *args: Any, **kwargs: Any) -> Any:
        return method(checked(name, input), *args, **kwargs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Do ``input.{name}(...)`` and return ``input``."
    function.__wrapped__ = method  # type: ignore[attr-defined]  # any function takes attributes
    return function


abs_ = _twin("abs_")
acos_ = _twin("acos_")
acosh_ = _twin("acosh_")
addmv_ = _twin("addmv_")
arccos_ = _twin("arccos_")
arccosh_ = _twin("arccosh_")
arcsin_ = _twin("arcsin_")
arcsinh_ = _twin("arcsinh_")
arctan_ = _twin("arctan_")
arctanh_ = _twin("arctanh_")
asin_ = _twin("asin_")
asinh_ = _twin("asinh_")
atan_ = _twin("atan_")
atanh_ = _twin("atanh_")
ceil_ = _twin("ceil_")
clamp_ = _twin("clamp_")
clamp_max_ = _twin("clamp_max_")
clamp_min_ = _twin("clamp_min_")
clip_ = _twin("clip_")
cos_ = _twin("cos_")
cosh_ = _twin("cosh_")
deg2rad_ = _twin("deg2rad_")
detach_ = _twin("detach_")
erf_ = _twin("erf_")
erfc_ = _twin("erfc_")
exp2_ = _twin("exp2_")
exp_ = _twin("exp_")
expm1_ = _twin("expm1_")
fill_ = _twin("fill_")
fix_ = _twin("fix_")
floor_ = _twin("floor_")
frac_ = _twin("frac_")
gcd_ = _twin("gcd_")
index_put_ = _twin("index_put_")
lcm_ = _twin("lcm_")
ldexp_ = _twin("ldexp_")
log10_ = _twin("log10_")
log1p_ = _twin("log1p_")
log2_ = _twin("log2_")
log_ = _twin("log_")
logit_ = _twin("logit_")
nan_to_num_ = _twin("nan_to_num_")
neg_ = _twin("neg_")
negative_ = _twin("negative_")
rad2deg_ = _twin("rad2deg_")
reciprocal_ = _twin("reciprocal_")
resize_as_ = _twin("resize_as_")
round_ = _twin("round_")
rsqrt_ = _twin("rsqrt_")
sigmoid_ = _twin("sigmoid_")
sin_ = _twin("sin_")
sinc_ = _twin("sinc_")
sinh_ = _twin("sinh_")
sqrt_ = _twin("sqrt_")
square_ = _twin("square_")
tan_ = _twin("tan_")
tanh_ = _twin("tanh_")
trunc_ = _twin("trunc_")
xlogy_ = _twin("xlogy_")
zero_ = _twin("zero_")


def detach(input: Any) -> Any:
    """Return a tensor on the same memory that no gradient flows through."""
    return checked("detach", input).detach()


def fill(input: Any, value: Any) -> Any:
    """Return a tensor like ``input`` full of ``value``."""
    return checked("fill", input).clone().fill_(value)
