"""Question text -> tokens. Normalises width, quotes and case; keeps the place of every token in the original text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from nlq.numbers import number_of

TokenKind = Literal["word", "number", "symbol", "quoted"]

_QUOTES = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "`": "`", "–": "-", "—": "-", "−": "-", "\u00a0": " "}
)

_TOKEN = re.compile(
    r"""
    (?P<quoted>"[^"\n]{1,200}" | `[^`\n]{1,120}` | (?<![A-Za-z0-9])'[^'\n]{1,120}'(?![A-Za-z]))
  | (?P<date>\d{4}-\d{1,2}(?:-\d{1,2})?(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?(?![\d-]) | \d{1,2}/\d{1,2}/\d{2,4} | \d{4}/\d{1,2}/\d{1,2} | \d{1,2}\.\d{1,2}\.\d{4})
  | (?P<number>(?:[$€£¥]\s?)?\d+(?:,\d{3})*(?:\.\d+)?(?:\s?%|(?:k|m|mm|mn|b|bn|mio)\b|\s?(?:thousand|million|billion)\b)?)(?![\w])
  | (?P<word>(?<![^\s])w/o?(?=\s)|[^\W_]+(?:[_][^\W_]+)*(?:'[A-Za-z]+)?|\.[a-z]{2,4}\b)
  | (?P<symbol><=|>=|!=|<>|==|[<>=/+*%&;:,.?!()\[\]-]|\S)
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `norm` is lower-case text without possessive; `key` its inflection-free form; `value` the number it stands for."""

    text: str
    norm: str
    key: str
    start: int
    end: int
    kind: TokenKind
    value: float | None = None
    backtick: bool = False

    @property
    def is_word(self) -> bool:
        return self.kind == "word"


def fold(text: str) -> str:
    """Lower-case text with compatibility forms unified and accents removed."""
    flat = unicodedata.normalize("NFKD", text.translate(_QUOTES))
    return "".join(c for c in flat if not unicodedata.combining(c)).lower()


_IRREGULAR = {
    "sold": "sell", "selling": "sell", "sells": "sell", "bought": "buy", "buying": "buy", "paid": "pay", "made": "make", "making": "make",
    "written": "write", "wrote": "write", "writing": "write", "given": "give", "gave": "give", "taken": "take", "took": "take", "taught": "teach",
    "left": "leave", "went": "go", "gone": "go", "had": "have", "has": "have", "having": "have", "was": "be", "were": "be", "is": "be", "are": "be",
    "been": "be", "people": "person", "men": "man", "women": "woman", "children": "child", "countries": "country", "cities": "city",
    "companies": "company", "categories": "category", "died": "die", "born": "birth", "flown": "fly", "flew": "fly", "flies": "fly", "held": "hold",
    "spent": "spend", "sent": "send", "lost": "lose", "won": "win", "shipped": "ship", "shipping": "ship", "statuses": "status", "status": "status",
    "series": "series", "businesses": "business", "classes": "class", "addresses": "address", "analyses": "analysis", "indices": "index",
    "canceled": "cancel", "cancelled": "cancel", "cancelling": "cancel", "does": "do", "did": "do", "done": "do", "fell": "fall", "fallen": "fall",
    "grew": "grow", "grown": "grow", "rose": "rise", "risen": "rise", "met": "meet", "ran": "run", "began": "begin", "begun": "begin", "got": "get",
    "gotten": "get", "used": "use", "uses": "use", "using": "use", "skus": "sku", "ids": "id", "news": "news", "sales": "sale", "this": "this",
    "miles": "mile", "kms": "km", "gas": "gas", "bus": "bus", "buses": "bus", "lens": "lens", "during": "during", "per": "per", "us": "us",
    "withdrew": "withdraw", "withdrawn": "withdraw", "broke": "break", "broken": "break", "chose": "choose", "chosen": "choose", "drew": "draw", "drawn": "draw",
    "drove": "drive", "driven": "drive", "froze": "freeze", "frozen": "freeze", "stole": "steal", "stolen": "steal", "threw": "throw", "thrown": "throw",
    "spoke": "speak", "spoken": "speak", "rode": "ride", "ridden": "ride", "lent": "lend", "built": "build", "led": "lead", "kept": "keep", "brought": "bring",
    "data": "data", "media": "media", "rating": "rating", "ratings": "rating", "found": "find", "caught": "catch", "delivery": "deliver", "deliveries": "deliver",
}  # fmt: skip

_VOWELS = set("aeiouy")


@lru_cache(maxsize=50_000)
def lemma(word: str) -> str:
    """An inflection-free key (compared, never shown): plural, past and -ing endings off, and a silent final e off, so that hire, hires, hired, hiring are one.

    >>> [lemma(w) for w in ("hired", "hire", "cities", "stopping", "prices")]
    ['hir', 'hir', 'city', 'stop', 'pric']
    """
    w = word
    if w in _IRREGULAR:
        return _trim_e(_IRREGULAR[w])
    if (
        len(w) == 3
        and w.endswith("s")
        and w[0] not in _VOWELS | {"h", "w"}
        and w not in ("yes", "gas", "bus", "gps", "sms", "pos", "its", "this")
    ) or w == "ads":
        return w[:-1]
    if len(w) <= 3 or not w.isascii() or any(c.isdigit() for c in w):
        return w
    if w.endswith("ies") and len(w) > 4:
        return w[:-3] + "y"
    if w.endswith(("sses", "shes", "ches", "xes", "zes")):
        return _trim_e(w[:-2])
    if w.endswith("s") and not w.endswith(("ss", "us", "is")):
        w = w[:-1]
        return _trim_e(_verb(w))
    return _trim_e(_verb(w))


def _verb(w: str) -> str:
    for ending in ("ing", "ed"):
        if w.endswith(ending) and len(w) - len(ending) >= 3:
            stem = w[: -len(ending)]
            if not _VOWELS & set(stem):
                return w
            if ending == "ed" and stem.endswith("i"):
                return stem[:-1] + "y"
            if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "lsz":
                return stem[:-1]
            return stem
    return w


def _trim_e(w: str) -> str:
    return w[:-1] if len(w) > 3 and w.endswith("e") and not w.endswith("ee") else w


@lru_cache(maxsize=50_000)
def singular(word: str) -> str:
    """The word without a plural ending only: "refunds" is "refund", "refunded" stays."""
    if len(word) > 3 and word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def words_of(name: str) -> tuple[str, ...]:
    """The lower-case words of an identifier or a label: snake_case, camelCase, digits.

    >>> words_of("abTxClosingDateStr"), words_of("PostalCode2")
    (('ab', 'tx', 'closing', 'date', 'str'), ('postal', 'code', '2'))
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)", " ", name)
    return tuple(w for w in re.split(r"[^\w]+|_", fold(spaced)) if w)


def keys_of(label: str) -> tuple[str, ...]:
    """Lemma keys of a label's words."""
    return tuple(lemma(w) for w in words_of(label))


def tokenise(text: str) -> tuple[Token, ...]:
    """Tokens of `text`, in order. Never fails; at most 600 tokens are kept."""
    source = text.translate(_QUOTES)
    tokens: list[Token] = []
    for match in _TOKEN.finditer(source):
        kind = match.lastgroup or "symbol"
        raw = match.group()
        start, end = match.span()
        if kind == "quoted":
            inner = raw[1:-1].strip()
            if inner:
                tokens.append(Token(inner, fold(inner), fold(inner), start, end, "quoted", number_of(inner), raw[0] == "`"))
            continue
        if kind == "number":
            stripped = raw.strip()
            start += len(raw) - len(raw.lstrip())
            end = start + len(stripped)
            tokens.append(Token(stripped, fold(stripped), fold(stripped), start, end, "number", number_of(stripped)))
            continue
        if kind == "date":
            tokens.append(Token(raw, raw, raw, start, end, "number"))
            continue
        if kind == "word":
            norm = fold(raw)
            for contraction, full in (
                ("n't", " not"),
                ("'s", ""),
                ("'re", " are"),
                ("'ve", " have"),
                ("'d", ""),
                ("'ll", " will"),
                ("'", ""),
            ):
                if norm.endswith(contraction) and len(norm) > len(contraction):
                    norm = norm[: -len(contraction)] + full
                    break
            for part in norm.split():
                part = {"ca": "can", "wo": "will"}.get(part, part) if "not" in norm else part
                tokens.append(Token(raw, part, lemma(part), start, end, "word", number_of(part)))
            continue
        tokens.append(Token(raw, raw, raw, start, end, "symbol"))
        if len(tokens) >= 600:
            break
    return tuple(tokens[:600])


def is_plural(words: str) -> bool:
    """Whether a name stands for several ("causes of loss", not "cause of loss", "diagnosis", "status").

    >>> [is_plural(w) for w in ("causes of loss", "cause of loss", "diagnosis")]
    [True, False, False]
    """
    head = words.lower().split(" of ")[0].split()[-1:]
    return bool(head) and head[0].endswith("s") and not head[0].endswith(("ss", "us", "is"))
