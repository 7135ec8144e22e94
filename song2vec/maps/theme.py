"""The colours that pictures and pages share, on a light and on a dark ground."""

from __future__ import annotations

from dataclasses import dataclass

# Ten hues that stay apart beside each other on both grounds, the most different ones first.
_HUES = ("#4269d0", "#e8a317", "#e4572e", "#2a9d8f", "#a463f2", "#ef6fa0", "#5aa83b", "#3fa7d6", "#9c6b4e", "#c0b72f")


@dataclass(frozen=True)
class Theme:
    """Colours as ``#rrggbb``: the ground, text, quieter text, songs of no shown group, three steps of land under dense places."""

    ground: str
    ink: str
    quiet: str
    other: str
    land: tuple[str, str, str]
    hues: tuple[str, ...] = _HUES


LIGHT = Theme("#fcfcfa", "#1f2430", "#6b7280", "#b9bec7", ("#f4f4f0", "#eeeee8", "#e7e7df"))
DARK = Theme("#12151c", "#eceff4", "#98a1b3", "#565e6e", ("#171b24", "#1b202b", "#202633"))
GROUPS = len(_HUES)


def mixed(colour: str, other: str, share: float) -> str:
    """``colour`` with this share (0 to 1) of another one, as ``#rrggbb``."""
    pairs = zip(bytes.fromhex(colour[1:]), bytes.fromhex(other[1:]), strict=True)
    return "#" + bytes(round(a + (b - a) * share) for a, b in pairs).hex()
