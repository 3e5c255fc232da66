"""Write the chart's copy of the CustomResourceDefinitions from their source in crds/."""

from pathlib import Path

CHARTS = Path(__file__).resolve().parent
SOURCES = CHARTS.parent / "crds"
TEMPLATES = CHARTS / "disksnapshot-operator" / "templates" / "crds"

_HEAD = """\
# Made by charts/render_crds.py from crds/{name}; edit that file.
{{{{- if .Values.crds.install }}}}
"""
_KEEP = """\
  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
  labels:
    {{- include "disksnapshot.labels" . | nindent 4 }}
    app.kubernetes.io/component: definition
"""
_FOOT = "{{- end }}\n"
_SPEC = "\nspec:\n"


def template(source: Path) -> str:
    """Return the chart's template for one definition."""
    text = source.read_text(encoding="utf-8")
    if "{{" in text:
        raise ValueError(f"{source.name}: two opening braces would be read as a template by Helm")
    definition = text[text.index("apiVersion: ") :]
    before, spec, after = definition.partition(_SPEC)
    return _HEAD.format(name=source.name) + before + "\n" + _KEEP + spec[1:] + after + _FOOT


def main() -> None:
    """Write every template anew."""
    for source in sorted(SOURCES.glob("*.yaml")):
        (TEMPLATES / source.name).write_text(template(source), encoding="utf-8")


if __name__ == "__main__":
    main()
