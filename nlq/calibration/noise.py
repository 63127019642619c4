"""How people really type: typos, capitals, politeness, words left out."""

from __future__ import annotations

import random

_TYPO_SHARE, _SHOUT_SHARE, _POLITE_SHARE, _MARK_SHARE, _HURRY_SHARE, _CLOSING_SHARE = 0.12, 0.04, 0.18, 0.3, 0.05, 0.06
_POLITE = (
    "please ",
    "hi, ",
    "can you tell me ",
    "show me ",
    "i would like to know ",
    "what is ",
    "give me ",
    "could you show ",
    "tell me ",
)
# Words that people in a hurry leave out.
_SKIPPED = frozenset(("the", "a", "an", "there", "was", "were", "is", "that", "did", "we"))
_CLOSING = (" pls", " please", ", thanks", " thx", " asap", " for the board meeting")
_LONG = 6


def disturbed(question: str, rng: random.Random) -> str:
    """The question as somebody in a hurry would type it; mostly unchanged.

    >>> disturbed("total revenue by region", random.Random(2))
    'total revenue by region pls'
    """
    text = question
    if rng.random() < _POLITE_SHARE and not text.startswith(("which", "how", "what", "when", "show", "list", "compare")):
        text = rng.choice(_POLITE) + text
    if rng.random() < _HURRY_SHARE:
        text = " ".join(w for w in text.split(" ") if w not in _SKIPPED) or text
    if rng.random() < _CLOSING_SHARE:
        text += rng.choice(_CLOSING)
    if rng.random() < _TYPO_SHARE:
        text = _misspelt(text, rng)
    if rng.random() < _SHOUT_SHARE:
        text = text.upper()
    if rng.random() < _MARK_SHARE:
        text += "?"
    return text


def _misspelt(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    long = [i for i, w in enumerate(words) if len(w) >= _LONG and w.isalpha()]
    if not long:
        return text
    at = rng.choice(long)
    word = words[at]
    place = rng.randrange(1, len(word) - 2)
    kind = rng.choice(("swap", "drop", "double"))
    if kind == "swap":
        word = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    elif kind == "drop":
        word = word[:place] + word[place + 1 :]
    else:
        word = word[:place] + word[place] + word[place:]
    words[at] = word
    return " ".join(words)
