"""Line icons of 24 x 24, drawn in the text's colour."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

_SHAPES: Mapping[str, str] = {
    "ask": '<circle cx="11" cy="11" r="6.5"/><path d="M16 16l4.5 4.5"/>',
    "boards": (
        '<rect x="4" y="4" width="7" height="9" rx="1.5"/><rect x="13.5" y="4" width="6.5" height="5.5" rx="1.5"/>'
        '<rect x="13.5" y="12" width="6.5" height="8" rx="1.5"/><rect x="4" y="15.5" width="7" height="4.5" rx="1.5"/>'
    ),
    "alerts": '<path d="M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.5a2 2 0 0 0 4 0"/>',
    "goal": '<circle cx="12" cy="12" r="8"/><circle cx="12" cy="12" r="4"/><circle cx="12" cy="12" r=".6"/>',
    "inbox": '<path d="M4 13l2.5-8h11l2.5 8v6H4zM4 13h5l1 2.5h4L15 13h5"/>',
    "history": '<path d="M4.5 12a7.5 7.5 0 1 0 2.3-5.4L4 9M4 4.5V9h4.5M12 8v4.5l3 1.8"/>',
    "jobs": '<path d="M4 7h16M4 12h10M4 17h13"/><circle cx="18" cy="12" r="1.6"/>',
    "catalog": '<path d="M5 5.5A1.5 1.5 0 0 1 6.5 4H19v16H6.5A1.5 1.5 0 0 1 5 18.5zM5 17.5A1.5 1.5 0 0 1 6.5 16H19M9 8h6"/>',
    "source": '<ellipse cx="12" cy="6" rx="7" ry="2.5"/><path d="M5 6v12c0 1.400 3 2.500 7 2.500s7-1.100 7-2.500V6M5 12c0 1.400 3 2.500 7 2.500s7-1.100 7-2.500"/>',
    "upload": '<path d="M12 15V4.5M7.5 8.5L12 4l4.5 4.5M4.5 15v4.5h15V15"/>',
    "sql": '<path d="M8 7l-5 5 5 5M16 7l5 5-5 5M13.5 5l-3 14"/>',
    "models": '<path d="M12 3.5l7.5 4.250v8.5L12 20.5l-7.5-4.250v-8.5zM4.5 7.750L12 12l7.5-4.250M12 12v8.5"/>',
    "evaluation": '<path d="M4 20h16M7 16.5v-5M12 16.5v-11M17 16.5v-8"/>',
    "digest": '<path d="M5 4h14v16H5zM8.5 8.5h7M8.5 12h7M8.5 15.5h4"/>',
    "admin": '<circle cx="12" cy="8.5" r="3.5"/><path d="M5 20c.5-4 3.5-6 7-6s6.5 2 7 6"/>',
    "connect": '<path d="M9 15l6-6M8 11l-2.5 2.5a3.5 3.5 0 0 0 5 5L13 16M11 8l2.5-2.5a3.5 3.5 0 0 1 5 5L16 13"/>',
    "pin": '<path d="M9 4h6l-.5 6 3 3.5h-11l3-3.5zM12 13.5V20"/>',
    "share": '<path d="M12 14V4M8 7.5L12 3.5l4 4M6 11H5v9h14v-9h-1"/>',
    "more": '<circle cx="6" cy="12" r="1"/><circle cx="12" cy="12" r="1"/><circle cx="18" cy="12" r="1"/>',
    "sun": '<circle cx="12" cy="12" r="4"/><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6L7 7M17 17l1.4 1.4M5.6 18.4L7 17M17 7l1.4-1.4"/>',
    "moon": '<path d="M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z"/>',
    "auto": '<rect x="3.5" y="5" width="17" height="11.5" rx="1.5"/><path d="M9 20h6M12 16.5V20"/>',
    "up": '<path d="M12 19V6M6.5 11L12 5.5l5.5 5.5"/>',
    "down": '<path d="M12 5v13M6.5 13L12 18.5l5.5-5.5"/>',
    "close": '<path d="M6 6l12 12M18 6L6 18"/>',
    "check": '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
    "comment": '<path d="M4 5h16v11H11l-4 3.5V16H4z"/>',
}


def icon(name: str) -> Markup:
    """Beside words that say the same, so it is hidden from screen readers."""
    return Markup(f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{_SHAPES[name]}</svg>')
