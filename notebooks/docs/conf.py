"""How the pages are built: `make docs`, or

    sphinx-build -W --keep-going -c notebooks/docs notebooks build/docs

The sources are the folder above this one, so that the tutorials are pages too. Nothing
is asked of a network, while building or while reading.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import nbtrack

project = "nbtrack"
author = "The nbtrack developers"
project_copyright = author
version = release = nbtrack.__version__
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_nb",
    "sphinx_copybutton",
    "cell_lexer",
    "docstrings",
    "surfaces",
]
root_doc = "index"
smartquotes = False  # a quote is often a part of what is to be typed
exclude_patterns = ["**/.ipynb_checkpoints", "**/.nbtrack", "docs/_static"]

# Notebooks are shown as they were saved; the tests run them.
nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_mime_priority_overrides = [
    ("html", "application/vnd.jupyter.widget-view+json", None),
    ("html", "application/vnd.plotly.v1+json", None),
]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # a cell may begin with a heading of any level

# `name` in a docstring is a link where it is a name of these pages, else code.
default_role = "name"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
maximum_signature_line_length = 72
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Fields", "params_style")]
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"nbtrack {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_domain_indices = False
pygments_dark_style = "github-dark"
html_copy_source = False
html_show_sourcelink = False
templates_path = []
# Furo's own faces ask nothing of a network: these fonts are those of the reader.
html_theme_options = {"navigation_with_keys": True}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"
