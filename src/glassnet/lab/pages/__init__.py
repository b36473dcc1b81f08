"""The panels of the lab, one module each: they show and ask, the library computes."""
