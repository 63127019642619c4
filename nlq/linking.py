"""Spans of words -> catalog objects and values, scored. Every word of a span must be explained by the object it links to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, JaroWinkler

from nlq.lexicon import GENERIC, Alternate, Lexicon, LocalValue, Target
from nlq.text import Token, fold, lemma
from nlq.thesaurus import root
from semantic.catalog.model import FieldRole, FieldType
from semantic.expr import FieldRef

_MIN_FUZZY_LENGTH = 5
_MIN_FUZZY_RATIO = 84.0
_MAX_LOCAL_FUZZY = 5_000
_MAX_MEMO = 20_000
# Nouns of rows that say little of what the rows are: a leave request is a leave.
_WEAK_HEADS = frozenset(
    lemma(w)
    for w in (
        *(
            "detail",
            "line",
            "item",
            "data",
            "info",
            "information",
            "history",
            "log",
            "record",
            "entry",
            "list",
            "table",
            "request",
            "transaction",
        ),
        *(
            "event",
            "case",
            "report",
            "fact",
            "master",
            "account",
            "profile",
            "map",
            "mapping",
            "assignment",
            "summary",
            "snapshot",
            "stat",
            "statistic",
        ),
    )
)
# Kinds of measures: alone they do not name one ("rate" is no cancellation rate).
_ONLY_KINDS = frozenset(lemma(w) for w in ("rate", "ratio", "percentage", "average", "total", "number"))

_LABELS = (FieldRole.CATEGORY, FieldRole.NAME, FieldRole.ATTRIBUTE)


@dataclass(frozen=True, slots=True)
class Link:
    """A catalog object for a span. `score` near 1.0: all its words are there, exactly. `exact`: no synonym, no typo was needed."""

    target: Target
    score: float
    exact: bool
    context: bool = False


@dataclass(frozen=True, slots=True)
class ValueLink:
    """A stored value for a span."""

    dataset: str
    field: str
    value: str
    score: float


class FoundValue(Protocol):
    @property
    def field(self) -> FieldRef: ...
    @property
    def value(self) -> str: ...
    @property
    def score(self) -> float: ...


class ValueSource(Protocol):
    """What linking needs of a value index (semantic.values.ValueIndex is one)."""

    def lookup(self, text: str, limit: int = 8, *, min_score: float = 0.7, fuzzy: bool = True) -> Sequence[FoundValue]:
        """Stored values near `text`, best first; an exact match scores 1.0."""
        ...


class NoValues:
    """The catalog's own sample values are all there is."""

    def lookup(self, text: str, limit: int = 8, *, min_score: float = 0.7, fuzzy: bool = True) -> Sequence[FoundValue]:
        return ()


class Linker:
    """Links over one lexicon. Thread-safe: bounded memos of what was found are the only state (a benign race)."""

    def __init__(self, lexicon: Lexicon, values: ValueSource) -> None:
        self._lexicon = lexicon
        self._figures = frozenset(a.keys[0] for a in lexicon.alternates if a.target.kind == "metric" and len(a.keys) == 1)
        self._values = values
        self._local_values = tuple(lexicon.values)
        self._memo: dict[str, dict[str, float]] = {}
        self._object_memo: dict[tuple[tuple[str, ...], tuple[str, ...], bool, int], tuple[Link, ...]] = {}
        self._value_memo: dict[tuple[str, bool, bool], tuple[ValueLink, ...]] = {}

    def key_matches(self, key: str, *, fuzzy: bool = True) -> dict[str, float]:
        """Vocabulary keys that `key` may stand for, with weights: same 1.0, synonym or root less, typo least."""
        found = self._memo.get(key)
        if found is not None:
            return found
        lexicon = self._lexicon
        found = {}
        if key in lexicon.by_key:
            found[key] = 1.0
        for other, weight in lexicon.synonyms.get(key, {}).items():
            if other in lexicon.by_key:
                found[other] = max(found.get(other, 0.0), weight)
        if len(key) >= 4:
            for other in lexicon.by_root.get(root(key), ()):
                if other not in found and min(len(other), len(key)) >= 3:
                    found[other] = 0.88
        if not found and fuzzy and len(key) >= _MIN_FUZZY_LENGTH and key.isalpha():
            for other, ratio, _ in process.extract(key, lexicon.vocabulary, scorer=fuzz.ratio, limit=3, score_cutoff=_MIN_FUZZY_RATIO):
                if other[0] == key[0] and abs(len(other) - len(key)) <= 2 and len(other) >= 4:
                    found[other] = 0.8 * ratio / 100.0
            if not found:
                for other in lexicon.vocabulary:
                    if other[0] == key[0] and len(other) == len(key) and sorted(other) == sorted(key) and OSA.distance(key, other) == 1:
                        found[other] = 0.72
        if len(self._memo) > 20_000:
            self._memo.clear()
        self._memo[key] = found
        return found

    def knows(self, key: str) -> bool:
        """Whether some name of the catalog has the word, as it is or as a synonym."""
        lexicon = self._lexicon
        return key in lexicon.by_key or any(other in lexicon.by_key for other in lexicon.synonyms.get(key, {}))

    def objects(self, keys: Sequence[str], limit: int = 12, *, plain: Sequence[str] = (), of: bool = True) -> list[Link]:
        """Objects that explain every key of the span, best first.

        plain: the words with their endings but for the plural. of: whether the thing may be named after its field ("price of the product").
        """
        memo_key = (tuple(keys), tuple(plain), of, limit)
        known = self._object_memo.get(memo_key)
        if known is None:
            known = self._objects(keys, limit, plain, of)
            if len(self._object_memo) > _MAX_MEMO:
                self._object_memo.clear()
            self._object_memo[memo_key] = known
        return list(known)

    def _objects(self, keys: Sequence[str], limit: int, plain: Sequence[str], of: bool) -> tuple[Link, ...]:
        lexicon = self._lexicon
        matches = [self.key_matches(k) for k in keys]
        scores: dict[Target, Link] = {}
        for position in self._explaining(keys, matches):
            alternate = lexicon.alternates[position]
            link = self._score(keys, matches, position, plain, of)
            if link is None:
                continue
            best = scores.get(alternate.target)
            if best is None or link.score > best.score:
                scores[alternate.target] = link
        ranked = sorted(scores.values(), key=lambda link: (-link.score, str(link.target), link.target.via))
        if not ranked:
            return ()
        floor = max(0.34, ranked[0].score - 0.45)
        return tuple(link for link in ranked if link.score >= floor)[:limit]

    def _explaining(self, keys: Sequence[str], matches: Sequence[dict[str, float]]) -> Iterable[int]:
        """Alternates that hold every key but those that a dataset's name or a kind may explain; in order."""
        lexicon = self._lexicon
        needed: set[int] | None = None
        some: set[int] = set()
        for key, row in zip(keys, matches, strict=True):
            here = {n for vocab in row for n in lexicon.by_key[vocab]}
            some |= here
            if key in lexicon.kind_words or any(vocab in lexicon.thing_words for vocab in row):
                continue
            needed = here if needed is None else needed & here
            if not needed:
                return ()
        return sorted(some if needed is None else needed)

    def is_flag(self, target: Target) -> bool:
        """Whether a target is a yes/no field."""
        if target.kind != "field" or target.dataset is None or target.field is None:
            return False
        field = self._lexicon.catalog.dataset(target.dataset).field(target.field)
        return field.role is FieldRole.FLAG or field.type is FieldType.BOOLEAN

    def is_time(self, target: Target) -> bool:
        """Whether a target is a date."""
        return (
            target.kind == "field" and self._lexicon.catalog.dataset(target.dataset or "").field(target.field or "").role is FieldRole.TIME
        )

    def names_thing(self, target: Target, key: str) -> bool:
        """Whether a key is a name of the dataset that a field belongs to."""
        return key in self._lexicon.context.get(target.dataset or "", frozenset())

    def in_order(self, target: Target, keys: Sequence[str]) -> bool:
        """Whether some wording of the target is these words in this order ("units sold"; not "customers bought" for "buying customers")."""
        matches = [self.key_matches(k) for k in keys]
        for position in {n for vocab in matches[0] for n in self._lexicon.by_key[vocab]} if matches else ():
            alternate = self._lexicon.alternates[position]
            if (
                alternate.target == target
                and len(alternate.keys) == len(keys)
                and all(k in row for k, row in zip(alternate.keys, matches, strict=True))
            ):
                return True
        return False

    def _score(
        self, keys: Sequence[str], matches: Sequence[dict[str, float]], position: int, plain: Sequence[str], of: bool
    ) -> Link | None:
        alternate = self._lexicon.alternates[position]
        target = alternate.target
        context = self._lexicon.context.get(target.dataset or "", frozenset()) if target.kind == "field" else frozenset()
        types = self._lexicon.type_words.get(target, frozenset())
        taken = [False] * len(alternate.keys)
        gained = 0.0
        exact, in_context, core, generic = True, False, 0, 0
        for key, row in zip(keys, matches, strict=True):
            best, at = 0.0, -1
            for i, word in enumerate(alternate.keys):
                if not taken[i] and row.get(word, 0.0) > best:
                    best, at = row[word], i
            if at >= 0:
                taken[at] = True
                gained += alternate.weights[at] * best
                exact = exact and best >= 1.0
                core += alternate.keys[at] not in context or alternate.weights[at] >= 1.0
                continue
            if any(word in context for word in row) and (
                key in context or key not in self._figures
            ):  # "revenue orders" are no sales orders
                if core and not of:
                    return None
                in_context = True
                continue
            if key in types:
                generic += 1
                continue
            return None
        if self._misses_head(alternate, taken, exact):
            return None
        if not core or (len(keys) == 1 and keys[0] in _ONLY_KINDS and not all(taken)):
            return None
        if (
            exact
            and plain
            and alternate.plain
            and len(plain) == len(alternate.plain) == len(keys)
            and sorted(plain) != sorted(alternate.plain)
        ):
            exact = False
            gained -= 0.04 * sum(alternate.weights)
        total = sum(alternate.weights)
        score = alternate.weight * gained / total
        if not exact:
            score -= 0.02
        if in_context:
            score += 0.03
        score -= 0.03 * generic
        return Link(target, min(score, 1.05), exact and all(taken), in_context)

    def _misses_head(self, alternate: Alternate, taken: Sequence[bool], exact: bool) -> bool:
        """Whether only what stands before its noun was said of things that are counted: "hires" are no hiring managers, "revenue" no sales channel."""
        target, words = alternate.target, alternate.keys
        if target.kind == "field":
            field = self._lexicon.catalog.dataset(target.dataset or "").field(target.field or "")
            if field.role is not FieldRole.KEY and (exact or field.role not in _LABELS):
                return False
        elif target.kind != "dataset":
            return False
        said = alternate.plain if len(alternate.plain) == len(words) else words
        heads = (i for i in range(len(words) - 1, -1, -1) if words[i] not in GENERIC | _WEAK_HEADS and not said[i].endswith("ed"))
        head = next(heads, None)
        return head is not None and not taken[head] and any(taken[:head])

    def _stored(self, text: str, fuzzy: bool, named: bool) -> tuple[ValueLink, ...]:
        """Hits of the value index; beginnings of longer values count only for words that look like names."""
        memo_key = (text, fuzzy, named)
        found = self._value_memo.get(memo_key)
        if found is None:
            floor = 0.84 if fuzzy else 0.9 if named else 0.995
            hits = self._values.lookup(text, 8, min_score=floor, fuzzy=fuzzy)
            found = tuple(ValueLink(h.field.dataset, h.field.field, h.value, h.score) for h in hits if _covers(h.value, text))
            if len(self._value_memo) > 20_000:
                self._value_memo.clear()
            self._value_memo[memo_key] = found
        return found

    def values(self, tokens: Sequence[Token], *, fuzzy: bool = False) -> list[ValueLink]:
        """Known values that the span's text names: exact, inflected, or (for one word) by root."""
        named = all(t.text[:1].isupper() or t.kind == "quoted" or not t.is_word for t in tokens)
        text = " ".join(t.norm for t in tokens)
        keys = " ".join(t.key for t in tokens)
        found: dict[tuple[str, str, str], ValueLink] = {}
        for local in self._lexicon.values.get(text, ()):
            _keep(found, local, 1.0)
        if keys != text:
            for local in self._lexicon.values.get(keys, ()):
                _keep(found, local, 0.97)
        for hit in self._stored(text, fuzzy, named):
            key = (hit.dataset, hit.field, hit.value)
            if key not in found or hit.score > found[key].score:
                found[key] = hit
        if not found and len(tokens) == 1 and len(tokens[0].key) >= 4:
            for local in self._lexicon.value_roots.get(root(tokens[0].key), ()):
                _keep(found, local, 1.0)
            for other, weight in self._lexicon.synonyms.get(tokens[0].key, {}).items():
                if weight >= 0.85:
                    for local in self._lexicon.values.get(other, ()):
                        _keep(found, local, 0.8)
        if not found and fuzzy and len(tokens) == 1 and len(text) >= _MIN_FUZZY_LENGTH and len(self._lexicon.values) <= _MAX_LOCAL_FUZZY:
            near = process.extractOne(text, self._local_values, scorer=fuzz.ratio, score_cutoff=_MIN_FUZZY_RATIO)
            if near is not None and near[0][0] == text[0]:
                for local in self._lexicon.values[near[0]]:
                    _keep(found, local, 0.95 * near[1] / 100.0)
        return sorted(found.values(), key=lambda v: (-v.score, v.dataset, v.field, v.value))[:10]

    def nearest(self, text: str, limit: int = 3) -> tuple[str, ...]:
        """Names in the catalog that look like `text`, for "did you mean"."""
        catalog = self._lexicon.catalog
        names = (
            {m.label for m in catalog.metrics}
            | {d.label for d in catalog.datasets}
            | {f.label for d in catalog.datasets for f in d.fields if not f.hidden}
        )
        asked = fold(text)
        ranked = sorted((-_resemblance(asked, fold(name)), name) for name in names)
        return tuple(name for score, name in ranked[:limit] if -score >= _LOOKS_LIKE)


_NEAR_WORD = 72.0
_LOOKS_LIKE = 85.0


def _resemblance(text: str, name: str) -> float:
    """How much the words of a name that are most alike are spelt as those of the text, 0 to 100. Letters shared inside a word do not count.

    >>> [_resemblance("profitability", other) >= _LOOKS_LIKE for other in ("gross profit", "product", "average selling price")]
    [True, False, False]
    """
    asked, known = text.split(), name.split()
    if not asked or not known:
        return 0.0
    return 100.0 * sum(max(JaroWinkler.similarity(word, other) for other in known) for word in asked) / len(asked)


def _covers(value: str, text: str) -> bool:
    """Whether every word of the text is in the value, spelt nearly so: "Boston in Texas" is more than "Boston".

    >>> _covers("Acme Corporation", "acme corp"), _covers("Boston", "boston in texas"), _covers("DELIVERED", "undelivered")
    (True, False, False)
    """
    if text.removeprefix("un").removeprefix("non").removeprefix("in").removeprefix("dis").lstrip("-") == fold(value) != text:
        return False  # its opposite
    asked = text.split()
    if len(asked) < 2:
        return True
    known = fold(value).replace("-", " ").replace("/", " ").split()
    joined = "".join(known)
    return all(
        len(word) < 2 or word in joined or any(k.startswith(word) or fuzz.ratio(word, k) >= _NEAR_WORD for k in known) for word in asked
    )


def _keep(found: dict[tuple[str, str, str], ValueLink], local: LocalValue, factor: float) -> None:
    key = (local.dataset, local.field, local.value)
    score = local.weight * factor
    if key not in found or score > found[key].score:
        found[key] = ValueLink(local.dataset, local.field, local.value, score)


def is_generic(key: str) -> bool:
    return key in GENERIC or lemma(key) in GENERIC
