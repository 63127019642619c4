"""One object of the catalog, changed on top of what is published: checked, compiled, and published when nobody changed it meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.draft_rules import refuse_counting_the_closed, with_published_rules
from api.learning import evaluate_later
from api.web.catalog_forms.kind import Kind
from api.web.catalog_forms.words import VerifiedKind
from api.web.forms import Fields
from api.web.shell import Visitor
from core.errors import Conflict, Invalid, NotFound, UserError
from core.store import catalogs
from semantic.catalog.diff import diff
from semantic.catalog.model import Catalog, VerifiedQuestion
from semantic.catalog.validate import Issue, validate
from semantic.catalog.visible import visible_to
from semantic.closed_conditions import refuse_closed_conditions
from semantic.compile import compile_query
from semantic.pipeline import guard_compiled
from semantic.query import SemanticQuery
from semantic.resolve import resolve
from semantic.states import GuardedQuery, ResultTable


@dataclass(frozen=True, slots=True)
class Drafted:
    """A catalog that is not published, with one object changed. key: the object's name in it. changes, warnings: in words. query: compiled and
    guarded with the editor's own rights, None where there is nothing to run, or what it reads is not the editor's to see. says: what it means now.
    """

    catalog: Catalog
    item: Any
    key: str
    changes: tuple[str, ...]
    warnings: tuple[str, ...]
    query: GuardedQuery | None
    says: tuple[str, ...] = ()


def current(at: Visitor) -> Catalog:
    """Empty before the first version."""
    try:
        return at.services.catalogs.full(at.caller.tenant)
    except NotFound:
        return Catalog()


def drafted(at: Visitor, kind: Kind, key: str, form: Fields) -> Drafted:
    """On top of what is published now; a form that was made of an older version is refused only when this object changed since. Blocks.

    Raises: Conflict; NotFound; Invalid for what does not make sense, alone or in the catalog; what compiling raises.
    """
    now = current(at)
    if key:
        _refuse_if_changed(at, kind, key, now, form)
    known = kind.find(now, key) if key else None
    item = _verified(at, kind, form, known) if isinstance(kind, VerifiedKind) else kind.read(form, now, known)
    changed = kind.put(now, key or kind.new_key(form), item)
    new = _key(kind, changed, item)
    if new != key and any(known == new for known, _ in kind.keyed(now)):
        raise Conflict(f"There is a {kind.title} of that name already; give another one.", code="object_exists")
    found = validate(changed)
    _refuse_errors(found)
    before = {str(issue) for issue in validate(now)}
    return Drafted(
        changed, item, new, tuple(map(str, diff(now, changed))),
        tuple(f"{issue.message} {issue.remedy}" for issue in found if str(issue) not in before), _query(at, kind.query(item, changed), changed, now),
        tuple(kind.says(item, at.services.clock.now())),
    )  # fmt: skip


def without(at: Visitor, kind: Kind, key: str, form: Fields) -> Catalog:
    """The catalog without the object. Raises: Conflict; NotFound; Invalid while something stands on it."""
    now = current(at)
    _refuse_if_changed(at, kind, key, now, form)
    made = kind.drop(now, key)
    above = sorted({issue.path.split("/")[2].replace("_", " ") for issue in validate(made) if issue.severity == "error"})
    above += [term.term for term in made.glossary if term.means == f"{kind.meant or kind.name}:{key}"]
    if above:
        raise Invalid(f"It is needed by {', '.join(above[:10])}; change or remove those first.", code="in_use")
    return made


def published(at: Visitor, catalog: Catalog, expected: int, note: str) -> int:
    """The new version. Raises: Conflict."""
    new = catalogs.NewCatalog(document=catalog.model_dump(mode="json"), author=at.caller.user, note=note, expected_version=expected)
    with at.services.store.write() as connection:
        saved = catalogs.append(connection, at.caller.tenant, new, now=at.services.clock.now()).version
    evaluate_later(at.services, at.caller, saved)
    return saved


def figures(at: Visitor, draft: Drafted) -> ResultTable | None:
    return at.services.core.warehouse_sync.run(draft.query) if draft.query is not None else None


def _refuse_errors(found: Sequence[Issue]) -> None:
    """Raises: Invalid with what is wrong and its remedy, without the places: it is about what is on the screen."""
    errors = [f"{issue.message} {issue.remedy}" for issue in found if issue.severity == "error"]
    if errors:
        raise Invalid(" ".join(dict.fromkeys(errors[:4])), code="bad_catalog")


def _refuse_if_changed(at: Visitor, kind: Kind, key: str, now: Catalog, form: Fields) -> None:
    version = form.whole("version", "Version", now.version)
    if version == now.version or form.has("over"):
        return
    old = at.services.catalogs.full(at.caller.tenant, version)
    if kind.find(old, key) != kind.find(now, key):
        said = [str(change) for change in diff(kind.put(now, key, kind.find(old, key)), now)]
        raise Conflict(
            f"Somebody else changed this while you were editing ({'; '.join(said)[:400]}). Your values are still in the form: save once more to "
            "put them over theirs, or open it again to see theirs.", code="changed_meanwhile",
        )  # fmt: skip


def _verified(at: Visitor, kind: VerifiedKind, form: Fields, known: VerifiedQuestion | None) -> VerifiedQuestion:
    """With the query that `as` is understood as; a new one's own words where that is empty. Raises: Invalid when it is not understood."""
    text = form("as") or (form("question") if known is None else "")
    if not text:
        return kind.read(form, current(at), known)
    found = at.services.catalogs.visible(at.caller).understander.understand(text, as_of=at.services.clock.now())
    if found.outcome != "answer":
        raise Invalid(
            f"“{text[:100]}” is not understood as one question: {found.message or 'it has several meanings.'}",
            code="not_understood",
            path="as",
        )
    meant = {"query": found.readings[0].query, "approved_by": at.caller.user}
    return kind.read(form, current(at), known or VerifiedQuestion(question=form("question") or text, **meant)).model_copy(update=meant)


def _key(kind: Kind, catalog: Catalog, item: Any) -> str:
    return next((key for key, one in kind.keyed(catalog) if one is item), "")


def _query(at: Visitor, query: SemanticQuery | None, draft: Catalog, published: Catalog) -> GuardedQuery | None:
    """Raises: what does not compile; what reads something that is not the editor's to see gives None."""
    if query is None:
        return None
    now = at.services.clock.now()
    compile_query(resolve(query, draft, as_of=now))
    ruled = with_published_rules(draft, published, at.caller, at.services.core.trust)
    try:
        refuse_counting_the_closed(draft, ruled, published, at.caller)
        refuse_closed_conditions(query, ruled, at.caller)
        compiled = compile_query(resolve(query, visible_to(ruled, at.caller), as_of=now))
        return guard_compiled(compiled, ruled, at.caller, trust=at.services.core.trust)
    except UserError:
        return None
