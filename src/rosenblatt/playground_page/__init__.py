"""The playground: a page on which people see a network learn, and the server that it comes from."""

from rosenblatt._lazy import lazy_names

__all__ = ["Playground", "playground"]

__getattr__, __dir__ = lazy_names(__name__, {"notebook": ("Playground", "playground")})
