"""Numbers and dates as the asker's formats write them, before a question is read: 1.234,56 is 1,234.56, and 3/4/2026 is the third of April or the
fourth of March. Places in the text stay as they are.
"""

from __future__ import annotations

import re

from core.formats import USUAL, Formats

_QUOTED = r""" "[^"\n]*" | “[^”\n]*” | `[^`\n]*` | (?<![A-Za-z0-9])'[^'\n]+'(?![A-Za-z]) """
_THIN = "['’\u00a0\u202f\u2009]"
_BEFORE, _AFTER = r"(?<![\w.,/])(?<!\w-)", r"(?![.,/'’]?\d)"
_ANYBODY = rf"[1-9]\d{{0,2}}(?:(?:\.\d{{3}})+,\d+|(?:\.\d{{3}}){{2,}}|(?:{_THIN}\d{{3}})+(?:[.,]\d+)?)"
_DATE = r"(?P<a>0?[1-9]|1[0-2])/(?P<b>0?[1-9]|1[0-2])/(?P<rest>\d{4}|\d{2})"
_MOST = 60


def as_usual(text: str, formats: Formats) -> str:
    """The text of the same length with its numbers as `core.formats.USUAL` writes them, and days with slashes month first.

    What can be read in one way only is read so whoever asks; anything else as the asker writes it: 1.234 of who writes 1.234,56 is 1,234. What is
    quoted stays.
    """
    if not any(c.isdecimal() for c in text):
        return text
    return _pattern(formats).sub(_written, text)


def _pattern(formats: Formats) -> re.Pattern[str]:
    numbers = [_ANYBODY]
    if formats.decimal == ",":
        numbers += [r"[1-9]\d{0,2}(?:\.\d{3})+", r"\d+,\d+"]
        if formats.group.isspace():
            numbers.insert(0, r"[1-9]\d{0,2}(?:[ ]\d{3})+(?:,\d+)?")
    elif formats.sizes != (3, 3):
        numbers.append(r"\d{1,2}(?:,\d\d)+,\d{3}")
    dates = rf" | {_BEFORE}(?P<date>{_DATE}){_AFTER}" if not formats.is_usual and formats.day_template.startswith("{d") else ""
    return re.compile(rf"(?P<quoted>{_QUOTED}) | {_BEFORE}(?P<number>{'|'.join(numbers)}){_AFTER}{dates}", re.VERBOSE)


def _written(match: re.Match[str]) -> str:
    part = match.groupdict()
    if part["quoted"] or len(match.group()) > _MOST:
        return match.group()
    if part.get("date"):
        return f"{part['b']}/{part['a']}/{part['rest']}"
    plain = match.group()
    found = re.search(r"[.,](\d+)\Z", plain)
    is_decimal = found is not None and (len({c for c in plain if not c.isdecimal()}) > 1 or (plain.count(",") == 1 and found[0][0] == ","))
    whole, rest = (plain[: found.start()], "." + found[1]) if found is not None and is_decimal else (plain, "")
    digits = USUAL.count(int(re.sub(r"\D", "", whole))) if re.search(r"\D", whole) else whole
    return (digits + rest).rjust(len(plain))
