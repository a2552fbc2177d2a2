"""The commands of ``rosenblatt``."""

import sys

try:
    from rosenblatt.cli.app import app, main
except KeyboardInterrupt:  # Ctrl-C before there is a command to end
    from rosenblatt._launch import is_launched

    if is_launched():  # else nothing is imported, as a library that was interrupted may refuse to be imported again
        import signal

        from rosenblatt.distributed.endings import end_job

        end_job(signal.SIGINT, "interrupted; nothing was written.")
    print("rosenblatt: interrupted; nothing was written.", file=sys.stderr)
    raise SystemExit(130) from None

__all__ = ["app", "main"]
