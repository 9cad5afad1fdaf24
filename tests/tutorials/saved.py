"""What stands in a tutorial that is saved: the same for everybody, and seen everywhere.

Not in JupyterLab alone: code hosts, nbconvert and Sphinx show HTML without scripts, PNG
and text. So there are no widgets, no addresses of SVG, no names of a machine.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

if TYPE_CHECKING:
    from tutorials.pictures import Painter

KERNEL = {
    "display_name": "Python 3 (ipykernel)",
    "language": "python",
    "name": "python3",
}
PLOTLY = "application/vnd.plotly.v1+json"
SHOWN = ("text/plain", "text/html", "text/markdown", "image/png")
ROOT, PREFIX = Path(__file__).parents[2], Path(sys.prefix)
CHECKOUT = re.compile(r"-e /\S+(?=\s+# nbtrack)")  # as `pip freeze` names it
SVG = re.compile(r"<img([^>]*?)src='data:image/svg\+xml;base64,([^']+)'([^>]*)>")
PNG_BODY = re.compile(r"(?<=data:image/png;base64,)[A-Za-z0-9+/=]+")


def sources_digest(notebook: nbformat.NotebookNode) -> str:
    """One number for all that is executed, in its order."""
    code = [(cell.id, cell.source) for cell in notebook.cells if is_code(cell)]
    return hashlib.sha256(repr(code).encode()).hexdigest()


def is_code(cell: nbformat.NotebookNode) -> bool:
    return bool(cell.cell_type == "code")


def settle(notebook: nbformat.NotebookNode, home: Path, painter: Painter) -> None:
    """Make a notebook that ran in `home` the one that is committed."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": KERNEL,
            "language_info": {"name": "python"},
            "nbtrack": {"executed_sources": sources_digest(notebook)},
        }
    )
    for cell in filter(is_code, notebook.cells):
        for output in cell.outputs:
            _settle_output(output, painter, lambda text: of_no_machine(text, home))


def of_no_machine(text: str, home: Path) -> str:
    """The text with the folders of a reader, whatever this machine calls them."""
    text = CHECKOUT.sub("-e ~/nbtrack", text)
    for folder, name in ((home, "~"), (ROOT, "~/nbtrack"), (PREFIX, "~/nbtrack/.venv")):
        text = text.replace(str(folder), name)
    return text


def _settle_output(
    output: nbformat.NotebookNode, painter: Painter, told: Callable[[str], str]
) -> None:
    if output.output_type == "stream":
        output.text = told(output.text)
    elif output.output_type == "error":
        output.traceback = [told(line) for line in output.traceback]
    else:
        metadata = _draw_figure(output.data, painter)
        kept = {kind: output.data[kind] for kind in SHOWN if kind in output.data}
        for kind in kept:
            if kind.startswith("text/"):
                kept[kind] = told(kept[kind])
        if "text/html" in kept:
            kept["text/html"] = with_png(kept["text/html"], painter)
        output.data = nbformat.from_dict(kept)
        # The id of a run would have the page look for it, in a store that is gone.
        output.metadata = nbformat.from_dict(metadata)


def _draw_figure(data: dict[str, Any], painter: Painter) -> dict[str, Any]:
    """Put the picture of a figure into its bundle; how large it is to be shown."""
    if PLOTLY not in data:
        return {}
    picture = painter.plotly(data[PLOTLY])
    data["image/png"] = picture.body
    data["text/plain"] = data.get("text/plain") or "a figure of Plotly's"
    return {"image/png": {"width": picture.width, "height": picture.height}}


def with_png(html: str, painter: Painter) -> str:
    """HTML whose drawings are PNG."""

    def drawn(match: re.Match[str]) -> str:
        before, body, after = match.groups()
        picture = painter.svg(body)
        width = "" if "width='" in before + after else f" width='{picture.width}'"
        address = f"src='data:image/png;base64,{picture.body}'"
        return f"<img{width}{before}{address}{after}>"

    return SVG.sub(drawn, html)


def texts_of(notebook: nbformat.NotebookNode) -> str:
    """All that is read under the cells, pictures left out."""
    found = []
    for cell in filter(is_code, notebook.cells):
        for output in cell.outputs:
            found.append(output.get("text", ""))
            found += output.get("traceback", [])
            data = output.get("data", {})
            found += [data[kind] for kind in data if kind.startswith("text/")]
    return PNG_BODY.sub("", "\n".join(found))
