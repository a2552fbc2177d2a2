"""Makes the picture of docs/report.md: ``python docs/report_picture.py`` writes docs/report.png.

It is the top of the page that the first lines of docs/report.md save, as Chromium shows it, which must be installed
(``chromium`` or ``google-chrome``).
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
WIDTH, HEIGHT, SCALE = 1100, 1180, 2
COLOURS = 32
"""Enough for a page of text, and a third of the bytes."""


def page(folder: pathlib.Path) -> pathlib.Path:
    """Run the first code of the page on reports, which writes report.html."""
    text = (HERE / "report.md").read_text(encoding="utf-8")
    code = text.partition("```python\n")[2].partition("```")[0]
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    return folder / "report.html"


def screenshot(path: pathlib.Path, out: pathlib.Path) -> None:
    """Write what a browser shows of a page, with few colours."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("the picture needs Chromium; install it first.")
    options = ["--headless", "--disable-gpu", "--hide-scrollbars", f"--force-device-scale-factor={SCALE}"]
    options += [f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={out}"]
    options += ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []  # which root cannot have
    subprocess.run([browser, *options, path.as_uri()], check=True, capture_output=True)
    Image.open(out).convert("RGB").quantize(COLOURS).save(out, optimize=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        screenshot(page(pathlib.Path(name)), HERE / "report.png")
