"""Scripts, styles and data of pages that are one file, under a policy that lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2

_HERE = Path(__file__).parent
STYLE = [_HERE / f"{name}.css" for name in ("colours", "base", "grid")]
SCRIPTS = [_HERE / f"{name}.js" for name in ("elements", "sound", "player", "picture", "files", "wav_file")]
ZIP_SCRIPT = _HERE / "zip_file.js"
_JSDOC = re.compile(r"^ */\*\*(?:(?!\*/).)*\*/\n", re.MULTILINE | re.DOTALL)


def embedded(content: Any) -> str:
    """Returns JSON for a ``<script>`` element. Escapes prevent that it ends the element or opens a comment."""
    text = json.dumps(content, separators=(",", ":"))  # ASCII only: U+2028 and U+2029 are escaped
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def joined(files: Iterable[Path]) -> str:
    """Returns the text of files of the package, one behind the other."""
    return "\n".join(file.read_text(encoding="utf-8").strip() for file in files)


def script_of(files: Iterable[Path]) -> str:
    """Returns scripts as one classic script in strict mode, so that the page also opens from disk; without JSDoc."""
    return '"use strict";\n' + _JSDOC.sub("", joined(files))


def environment(folder: Path) -> jinja2.Environment:
    """Returns the environment of a page's template, which fills the blocks of ``document.html.j2``.

    Text is escaped, unless it is ``Markup``.

    Args:
        folder: Folder of the template.
    """
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, _HERE]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def policy(style: str, scripts: Iterable[str], *, worker: bool = False) -> str:
    """Returns a content security policy: the browser runs and loads nothing else, even if a name contains HTML.

    Args:
        style: Style sheet of the page.
        scripts: Scripts of the page.
        worker: True for a page that starts a worker from one of its scripts, which may compile WebAssembly.
    """
    sources = [f"'{_hash(script)}'" for script in scripts]
    if worker:
        sources.append("'wasm-unsafe-eval'")  # WebAssembly alone: eval and inline scripts stay forbidden
    workers = " worker-src blob:;" if worker else ""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src {' '.join(sources)};{workers} img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
