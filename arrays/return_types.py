"""The named tuples that PyTorch's functions of several results return: ``torch.return_types.max`` and so on."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, ClassVar, Self


class Structure(tuple[Any, ...]):
    """A tuple whose items also have names, and whose repr gives each its line."""

    __slots__ = ()
    fields: ClassVar[tuple[str, ...]] = ()
    n_fields: ClassVar[int] = 0
    n_sequence_fields: ClassVar[int] = 0
    n_unnamed_fields: ClassVar[int] = 0
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, items: Sequence[Any]) -> Self:
        """Return the items as one value; TypeError unless there is one for each field."""
        if isinstance(items, str) or not hasattr(items, "__iter__"):
            raise TypeError("constructor requires a sequence")
        if len(items) != cls.n_fields:
            raise TypeError(
                f"torch.return_types.{cls.__name__}() takes a {cls.n_fields}-sequence ({len(items)}-sequence given)"
            )
        return super().__new__(cls, items)

    @classmethod
    def of(cls, *items: Any) -> Self:
        """Return the items as one value, unchecked."""
        return super().__new__(cls, items)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (tuple(self),)

    def __repr__(self) -> str:
        parts = ",\n".join(f"{name}={item!r}" for name, item in zip(self.fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{parts})"


def structure(name: str, *fields: str) -> type[Structure]:
    """Return a new type of named tuple.

    >>> import rushlight as torch
    >>> torch.return_types.max((1, 2)).indices
    2
    """
    body: dict[str, Any] = {"__slots__": (), "__module__": __name__, "__match_args__": fields, "fields": fields}
    body |= {"__doc__": f"What ``{name}`` returns: {', '.join(fields)}."}
    body |= {"n_fields": len(fields), "n_sequence_fields": len(fields)}
    body |= {field: property(itemgetter(place)) for place, field in enumerate(fields)}
    return type(name, (Structure,), body)


max = structure("max", "values", "indices")
min = structure("min", "values", "indices")
median = structure("median", "values", "indices")
nanmedian = structure("nanmedian", "values", "indices")
mode = structure("mode", "values", "indices")
kthvalue = structure("kthvalue", "values", "indices")
sort = structure("sort", "values", "indices")
topk = structure("topk", "values", "indices")
cummax = structure("cummax", "values", "indices")
cummin = structure("cummin", "values", "indices")
aminmax = structure("aminmax", "min", "max")
frexp = structure("frexp", "mantissa", "exponent")
histogram = structure("histogram", "hist", "bin_edges")
slogdet = structure("slogdet", "sign", "logabsdet")
qr = structure("qr", "Q", "R")
svd = structure("svd", "U", "S", "V")
linalg_slogdet = structure("linalg_slogdet", "sign", "logabsdet")
linalg_eigh = structure("linalg_eigh", "eigenvalues", "eigenvectors")
linalg_qr = structure("linalg_qr", "Q", "R")
linalg_svd = structure("linalg_svd", "U", "S", "Vh")
linalg_lstsq = structure("linalg_lstsq", "solution", "residuals", "rank", "singular_values")
linalg_inv_ex = structure("linalg_inv_ex", "inverse", "info")
linalg_solve_ex = structure("linalg_solve_ex", "result", "info")
linalg_cholesky_ex = structure("linalg_cholesky_ex", "L", "info")
linalg_lu = structure("linalg_lu", "P", "L", "U")
linalg_lu_factor = structure("linalg_lu_factor", "LU", "pivots")
linalg_lu_factor_ex = structure("linalg_lu_factor_ex", "LU", "pivots", "info")
lu_unpack = structure("lu_unpack", "P", "L", "U")
_lu_with_info = structure("_lu_with_info", "LU", "pivots", "info")
geqrf = structure("geqrf", "a", "tau")
triangular_solve = structure("triangular_solve", "solution", "cloned_coefficient")
