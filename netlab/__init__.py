"""netlab: a laboratory for the inside of a network stack."""

__version__ = "0.1.0"
