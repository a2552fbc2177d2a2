"""The documentation as a site: ``python -m sphinx -W --keep-going -n docs build/site``. It needs the extra ``docs``.

The pages are Markdown that GitHub shows as well; the API reference and the galleries of examples are made from the
code. Nothing is read from the network, neither here nor by the pages.
"""

import os
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE / "_ext"))
os.environ.setdefault("MPLBACKEND", "Agg")

from rosenblatt import __version__  # noqa: E402

project = "rosenblatt"
author = "the rosenblatt developers"
project_copyright = author
version = release = __version__
language = "en"

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "api_reference",
    "mathml",
    "repository_links",
]
root_doc = "index"
exclude_patterns = ["_ext", "**/GALLERY_HEADER.rst"]
default_role = "literal"
nitpicky = True

# Pages: Markdown as on GitHub.
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
myst_dmath_double_inline = True

# API reference: numpydoc's sections; the types of parameters stand there, so signatures show names and defaults.
autosummary_generate = False
autodoc_typehints = "none"
autodoc_member_order = "alphabetical"  # members of a class come from several files
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# Galleries.
sphinx_gallery_conf = {
    "examples_dirs": ["../examples/book", "../examples/tables"],
    "gallery_dirs": ["lessons", "lessons-tables"],
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"^_",
    "within_subsection_order": "reading_order.ReadingOrder",
    "reset_argv": "reading_order.draw_pictures",
    "abort_on_example_error": True,
    "copyfile_regex": r"_.*\.py",
    "download_all_examples": False,
    "write_computation_times": False,  # times of this machine are nobody else's
    "min_reported_time": 1e9,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "image_scrapers": ("matplotlib",),
    "default_thumb_file": str(HERE / "_static" / "logo.svg"),
}
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")

# Looks.
html_theme = "pydata_sphinx_theme"
html_title = "rosenblatt"
html_logo = "_static/logo.svg"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
NO_SECTIONS = ("index", "getting-started", "contributing", "faq", "when-to-use-something-else")
html_sidebars = {page: [] for page in NO_SECTIONS}  # with no pages below them
html_context = {"default_mode": "auto"}  # light or dark as the reader's system is
toc_object_entries_show_parents = "hide"  # "fit" and not "MLPClassifier.fit", for which there is no room
html_theme_options = {
    "logo": {"text": "rosenblatt"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
