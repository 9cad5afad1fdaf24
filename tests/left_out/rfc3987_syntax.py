"""Stands on the path of kernels and servers of the tests, before the real one.

jsonschema goes on without it, see `conftest.py`: 4 s less for each process that shows a
figure of Plotly or answers as a Jupyter Server.
"""

raise ImportError("left out in tests")
