"""One period in words: the patterns that find it."""

from __future__ import annotations

import re

MONTHS = {
    name: i
    for i, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug", "september sept sep", "october oct",
         "november nov", "december dec"), 1)
    for name in names.split()
}  # fmt: skip
MONTH = "(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + ")"
YEAR = r"(?:19|20)\d\d"
ORD = r"(?:first|second|third|fourth|1st|2nd|3rd|4th)"
DAYNUM = r"(?:\d{1,2})(?:\ ?(?:st|nd|rd|th))?"
UNIT = r"(?:second|minute|hour|day|week|month|quarter|year)"
LAST = r"(?:last|past|previous|prior|preceding|trailing|most\ recent|latest)"
NEXT = r"(?:next|coming|upcoming|following)"
KIND = r"(?:iso|calendar|fiscal|full|complete|completed|whole|rolling|entire|consecutive|business)"
TO = r"to|-|–|until|till|through|thru"
# A year told from today's, after a piece of it ("Q3 of last year") or before it ("last year's Q3").
BESIDE_NOW = r"(?:the\ )?(?:this|current|last|previous|prior|next)(?:\ (?:calendar|fiscal))?\ year\b"
COUNT = r"(?:\d+|a\ couple\ of|a|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|twenty\ four|thirty|sixty|ninety|few|several|dozen)"

ATOM = re.compile(
    rf"""
    (?P<isots>\d{{4}}-\d{{1,2}}-\d{{1,2}}[t ]\d{{1,2}}:\d\d(?::\d\d)?)
  | (?P<iso>\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{4}}/\d{{1,2}}/\d{{1,2}})
  | (?P<slash>\d{{1,2}}/\d{{1,2}}/\d{{2,4}}|\d{{1,2}}\.\d{{1,2}}\.\d{{4}})
  | (?P<isoweek>\d{{4}}\ ?-?\ ?w\d\d\b | \b(?:iso\ |calendar\ )?week\ (?:number\ |no\.?\ )?\d{{1,2}}\ (?:of\ |in\ |,\ )?(?:the\ year\ )?{YEAR}\b)
  | (?P<ym>\d{{4}}-\d{{1,2}}|\b(?:0?[1-9]|1[0-2])\ ?/\ ?20\d\d)(?![\d/-])
  | \b(?P<days>(?:(?:between|from)\ )?(?:{MONTH}\.?\ (?:the\ )?{DAYNUM}\ (?:{TO})\ (?:the\ )?{DAYNUM}(?![\d-])(?:\ ?,?\ (?:of\ )?{YEAR}\b)?
      | (?:the\ )?{DAYNUM}\ (?:{TO})\ (?:the\ )?{DAYNUM}\ (?:of\ )?{MONTH}\b(?:\ ?,?\ (?:of\ )?{YEAR}\b)?)
      | between\ (?:the\ )?(?:{MONTH}\ {DAYNUM}\ and\ (?:the\ )?{DAYNUM} | {DAYNUM}\ and\ (?:the\ )?{DAYNUM}\ (?:of\ )?{MONTH})(?![\d-])(?:\ ?,?\ (?:of\ )?{YEAR}\b)?)
  | \b(?P<md>{MONTH}\.?\ (?:the\ )?{DAYNUM}(?!\d)(?:\ ?,?\ (?:of\ )?(?:{YEAR}\b|{BESIDE_NOW}))?)
  | \b(?P<dm>(?:the\ )?{DAYNUM}\ (?:of\ )?{MONTH}\b(?:\ ?,?\ (?:of\ )?(?:{YEAR}\b|{BESIDE_NOW}))?)
  | \b(?P<my>{MONTH}\ '\ \d\d\b | {MONTH}\.?\ ?,?\ (?:of\ )?(?:the\ year\ )?{YEAR}\b)
  | \b(?P<month>{MONTH}\ (?:of\ |in\ )?(?:this|last|the\ previous)\ year\b | (?:(?:this|last|previous|next|coming)\ (?:year\ )?)?{MONTH})\b
  | \b(?P<part>(?:the\ )?(?:first|last|final)\ (?:day|week|month|quarter)\ of\ (?:(?:the\ )?(?:calendar\ )?(?:year\ )?{YEAR} | {MONTH}(?:\ {YEAR})?)\b)
  | \b(?P<quarter>{BESIDE_NOW}\ (?:fiscal\ )?(?:q[1-4]|{ORD}\ quarter)\b | q[1-4]\ ?(?:'|/|fy)\ ?(?:20)?\d\d\b | (?:fiscal\ |fy\ )?q[1-4]\b
        (?:\ ?,?/?-?\ ?(?:of\ )?(?:the\ )?(?:fiscal\ )?(?:year\ )?(?:fy\ ?)?{YEAR}\b | \ ?,?\ (?:of\ |in\ )?{BESIDE_NOW})?
      | (?:{YEAR}\ ?-?\ ?q|\d\d\ ?q)[1-4]\b | [1-4]\ ?q\ ?'?\ ?(?:20)?\d\d\b | (?:last|this|next|previous)\ q[1-4]\b
      | (?:the\ )?{ORD}\ (?:fiscal\ )?quarter\b(?:\ ?,?\ (?:of\ |in\ )?(?:(?:the\ )?(?:fiscal\ )?(?:year\ )?{YEAR}\b | {BESIDE_NOW}))?)
  | \b(?P<half>{BESIDE_NOW}\ h[12]\b | h[12]\b(?:\ ?,?\ (?:of\ |in\ )?(?:{YEAR}\b|{BESIDE_NOW}))? | {YEAR}\ ?-?\ ?h[12]\b
      | (?:the\ )?(?:first|second|1st|2nd)\ half\ of\ (?:(?:the\ year\ )?{YEAR} | (?:this|last|the|the\ last|the\ previous)\ year | {MONTH}(?:\ {YEAR})?)\b
      | (?:the\ )?(?:first|second|1st|2nd)\ half\b(?!\ of))
  | \b(?P<rolling>{LAST}\ {COUNT}\ (?:{KIND}\ )*{UNIT}s?\b | {NEXT}\ {COUNT}\ (?:{KIND}\ )*{UNIT}s?\b | (?:{KIND}\ )?trailing\ {UNIT}s?\b)
  | \b(?P<todate>(?:fiscal\ )?{UNIT}\ ?-?\ ?to\ ?-?\ ?date\b | \b(?:ytd|mtd|qtd|wtd|fytd|fqtd)\b | this\ (?:fiscal\ )?{UNIT}\ (?:so\ far|to\ date|until\ now)\b)
  | \b(?P<rel>(?:this|current|{LAST}|{NEXT})\ (?:{KIND}\ )*{UNIT}\b(?!\ over|\ on\ ))
  | \b(?P<fy>(?:fy\ ?-?\ ?'?\ ?|fiscal\ year\ |fiscal\ )(?:20)?\d\d\b)
  | \b(?P<ago>{COUNT}\ {UNIT}s?\ ago\b)
  | \b(?P<day>the\ day\ before\ yesterday|today|yesterday|tomorrow|right\ now)\b
  | \b(?P<year>(?:the\ )?(?:calendar\ )?(?:year\ (?:of\ )?)?{YEAR})\b(?!\s?[%])
    """,
    re.VERBOSE,
)
