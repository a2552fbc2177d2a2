"""The version of the package, for every module that writes it into a file."""

__all__ = ["__version__"]

__version__ = "0.1.0"
