"""Draw a hold to scale as SVG: its phases, and what its writers felt of them. No I/O.

The drawing has no background and knows both schemes of colours, so it can be read on any page.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from lab.demo.load import Pause
from lab.demo.scale import Owner, Phase, phases
from lab.demo.timeline import Event

_WIDTH, _LEFT, _RIGHT = 960, 130, 20
_LANE, _BAR = 26, 16
_ROW_OF_NAMES = 15
_NARROWEST = 1.0  # a phase that would be thinner than this could not be seen
_STYLE = """
    text { font: 12px ui-sans-serif, system-ui, sans-serif; fill: #1f2328 }
    .title { font-weight: 600 } .small { font-size: 11px; fill: #59636e }
    .on { fill: #1f2328 }
    .axis { stroke: #8b949e; stroke-width: 1 } .tick { stroke: #8b949e; stroke-width: 1 }
    .lock { fill: #a475f9 } .freeze { fill: #0969da }
    .cloud { fill: #d4a72c } .release { fill: #1a7f37 }
    .still { fill: #cf222e; fill-opacity: .25 } .row { stroke: #1f2328; stroke-width: 1 }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc } .small { fill: #9198a1 } .row { stroke: #f0f6fc }
      .on { fill: #1f2328 } .lock { fill: #ab7df8 } .freeze { fill: #4493f8 }
      .cloud { fill: #d29922 } .release { fill: #3fb950 }
      .still { fill: #f85149; fill-opacity: .35 }
    }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One writer: when it stood still, and when its rows were acknowledged (ns)."""

    pause: Pause
    acknowledged: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Turns ms since the lock was sent into a place on the page."""

    begin: float
    end: float

    def x(self, milliseconds: float) -> float:
        share = (milliseconds - self.begin) / (self.end - self.begin)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def ticks(self) -> Iterator[float]:
        """Choose round marks, eight or so."""
        span = self.end - self.begin
        step = next(s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000)
                    if span / s <= 10)  # fmt: skip
        mark = -(-self.begin // step) * step
        while mark <= self.end:
            yield mark
            mark += step


def svg(events: Mapping[str, int], lanes: Sequence[Lane], title: str) -> str:
    """Draw the whole hold with its writers, and its two ends once more, larger."""
    cut = phases(events)
    zero = events[Event.LOCK_SENT]
    ends = [(lane.pause.begun - zero) / 1e6 for lane in lanes]
    ends += [(lane.pause.ended - zero) / 1e6 for lane in lanes]
    whole = Axis(begin=min(0.0, *ends) - 4, end=max(cut[-1].end, *ends) + 4)
    taking = [phase for phase in cut if phase.end <= _cut_sent(cut)]
    giving = [phase for phase in cut if phase.begin >= _cloud_ended(cut)]
    body: list[str] = [_text(10, 18, title, "title")]
    y = 44
    body += _lane(whole, cut, y, "the hold", named=False)
    for lane in lanes:
        y += _LANE
        body += _writer(whole, lane, zero, y)
    y += _LANE
    body += _scale(whole, y)
    for words, part in (("taking it", taking), ("letting go", giving)):
        y += 58
        axis = _around(part, cut)
        body += _lane(axis, part, y, words, named=True)
        y += _LANE + len(part) * _ROW_OF_NAMES
        body += _scale(axis, y)
    return _page(body, y + 34)


def _cut_sent(cut: Sequence[Phase]) -> float:
    return next(phase.begin for phase in cut if phase.words == "CreateSnapshot")


def _cloud_ended(cut: Sequence[Phase]) -> float:
    return max(phase.end for phase in cut if phase.owner is Owner.CLOUD)


def _around(part: Sequence[Phase], cut: Sequence[Phase]) -> Axis:
    """Give both close-ups the same scale, that of the longer one."""
    sent, ended = _cut_sent(cut), _cloud_ended(cut)
    length = max(sent, cut[-1].end - ended) * 1.05
    return Axis(begin=part[0].begin, end=part[0].begin + length)


def _lane(axis: Axis, cut: Sequence[Phase], y: float, words: str, *, named: bool) -> Iterator[str]:
    yield _text(10, y + 12, words, "")
    for number, phase in enumerate(cut):
        x = axis.x(phase.begin)
        width = max(_NARROWEST, axis.x(phase.end) - x)
        said = f"{phase.words} {phase.milliseconds:,.2f} ms"
        yield (
            f'<rect class="{phase.owner}" x="{x:.1f}" y="{y}" width="{width:.1f}"'
            f' height="{_BAR}"><title>{escape(said)}</title></rect>'
        )
        if named:
            below = y + _BAR + (number + 1) * _ROW_OF_NAMES - 3
            yield (f'<line class="tick" x1="{x:.1f}" y1="{y + _BAR}" x2="{x:.1f}" y2="{below}"/>')
            # The last words would run off the page to the right.
            late = x > _WIDTH - _RIGHT - 7 * len(said)
            yield _text(x - 4 if late else x + 4, below, said, "small", end=late)
        elif width > 8 * len(said):
            yield _text(x + 6, y + 12, said, "on")


def _writer(axis: Axis, lane: Lane, zero: int, y: float) -> Iterator[str]:
    begin, end = axis.x((lane.pause.begun - zero) / 1e6), axis.x((lane.pause.ended - zero) / 1e6)
    yield _text(10, y + 12, str(lane.pause.writer), "")
    yield (
        f'<rect class="still" x="{begin:.1f}" y="{y}" width="{end - begin:.1f}" height="{_BAR}"/>'
    )
    for time in lane.acknowledged:
        at = (time - zero) / 1e6
        if axis.begin <= at <= axis.end:
            x = axis.x(at)
            yield f'<line class="row" x1="{x:.1f}" y1="{y}" x2="{x:.1f}" y2="{y + _BAR}"/>'
    said = f"no row acknowledged for {lane.pause.milliseconds:,.1f} ms"
    yield _text(begin + 6, y + 12, said, "")


def _scale(axis: Axis, y: float) -> Iterator[str]:
    yield (f'<line class="axis" x1="{_LEFT}" y1="{y}" x2="{_WIDTH - _RIGHT}" y2="{y}"/>')
    for mark in axis.ticks():
        x = axis.x(mark)
        yield f'<line class="tick" x1="{x:.1f}" y1="{y}" x2="{x:.1f}" y2="{y + 4}"/>'
        words = f"{mark:.4g} ms" if abs(mark) > 1e-9 else "0: lock sent"
        yield f'<text class="small" x="{x:.1f}" y="{y + 16}" text-anchor="middle">{words}</text>'


def _text(x: float, y: float, words: str, kind: str, *, end: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{anchor}>{escape(words)}</text>'


def _page(body: Sequence[str], height: float) -> str:
    inside = "\n  ".join(body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}"'
        f' width="{_WIDTH}" height="{height:.0f}" role="img">\n'
        f"  <style>{_STYLE}  </style>\n  {inside}\n</svg>\n"
    )
