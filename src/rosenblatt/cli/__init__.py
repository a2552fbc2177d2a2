"""The commands of ``rosenblatt``."""

try:
    from rosenblatt.cli.app import app, main
except KeyboardInterrupt:  # Ctrl-C before there is a command to end
    raise SystemExit(130) from None

__all__ = ["app", "main"]
