"""What stands around the variables, as a flow names it: each name begins with an `@`.

Here once, for those who write flows and those who read them.
"""

from __future__ import annotations

MARK = "@"
CWD = "@cwd"
FIGURES = "@figures"  # the open ones of pyplot
EVERYTHING = "@everything"  # read by exec, globals() ...
SUBCLASSES = "@subclasses"  # which classes know, of those that derive from them
ALL_FILES = "@files"  # read by a shell, a listing of folders
# With more behind them:
ENVIRONMENT = "@env:"
CONTEXT = "@context:"
MODULE = "@module:"
GENERATOR = "@rng:"
OUT = "@out:"
FILE = "@file:"
FOLDER = "@folder:"
OF_FILES = (FILE, FOLDER)
