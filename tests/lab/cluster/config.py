"""Configuration files of components, named by their content."""

import hashlib

from lab.layout import Layout


def write(layout: Layout, name: str, content: str) -> str:
    """Return the file's path; other content gives another path, so the component restarts."""
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    stem, _, suffix = name.rpartition(".")
    file = layout.config / f"{stem}-{digest}.{suffix}"
    layout.config.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        partial = file.with_name(f".{file.name}.partial")
        partial.write_text(content)
        partial.replace(file)
    return str(file)
