"""How the tests check types at run time: an `int` passes for a `float`, as the type system says."""

from beartype import BeartypeConf, beartype

checker = beartype(conf=BeartypeConf(is_pep484_tower=True))
