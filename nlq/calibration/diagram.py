"""The reliability diagram as SVG: how often readings of each confidence are right, beside the line where the two are equal."""

from __future__ import annotations

from collections.abc import Mapping

from nlq.calibration.learn import Quality

_SIZE, _LEFT, _TOP = 320, 56, 40
_COLOURS = ("#2f6f9f", "#c2571a", "#4f8a4c", "#7a5195")


def reliability_svg(series: Mapping[str, Quality]) -> str:
    """One line of dots for each name; a dot's area grows with the number of readings in its bin."""
    width, height = _LEFT + _SIZE + 210, _TOP + _SIZE + 56
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="22" font-size="14" font-weight="bold">Confidence and how often it is right</text>',
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_SIZE}" height="{_SIZE}" fill="none" stroke="#999999"/>',
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#999999" stroke-dasharray="4 4"/>',
    ]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(f'<text x="{_x(tick):.1f}" y="{_y(0) + 18:.1f}" text-anchor="middle">{tick:.0%}</text>')
        parts.append(f'<text x="{_LEFT - 8}" y="{_y(tick) + 4:.1f}" text-anchor="end">{tick:.0%}</text>')
    parts.append(f'<text x="{_x(0.5):.1f}" y="{_y(0) + 40:.1f}" text-anchor="middle">confidence</text>')
    for number, (name, q) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        points = " ".join(f"{_x(c):.1f},{_y(share):.1f}" for c, share, _ in q.bins)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        for c, share, count in q.bins:
            radius = 3 + 7 * (count / max(1, q.count)) ** 0.5
            parts.append(
                f'<circle cx="{_x(c):.1f}" cy="{_y(share):.1f}" r="{radius:.1f}" fill="{colour}" fill-opacity="0.65">'
                f"<title>{name}: {count} readings of confidence {c:.2f}, {share:.0%} right</title></circle>"
            )
        top = _TOP + 10 + number * 40
        parts.append(f'<circle cx="{_LEFT + _SIZE + 18}" cy="{top}" r="5" fill="{colour}"/>')
        parts.append(f'<text x="{_LEFT + _SIZE + 30}" y="{top + 4}">{name}</text>')
        parts.append(f'<text x="{_LEFT + _SIZE + 30}" y="{top + 20}" fill="#555555">{q.count} readings, ECE {q.ece:.3f}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(share: float) -> float:
    return _LEFT + share * _SIZE


def _y(share: float) -> float:
    return _TOP + (1 - share) * _SIZE
