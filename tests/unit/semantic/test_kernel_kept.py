"""Guarded queries that are kept: found again only where nothing could differ."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from benchmarks.kernel import bench_catalog, bench_queries
from core.errors import QueryRejected, UserError
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from core.timeseries import Grain
from semantic.catalog.model import Catalog, RowPolicy
from semantic.expr import Absolute, Comparison, FieldRef, In, IsNull, Literal_, Not, Now, Predicate, Rolling, Unit
from semantic.kernel import GuardedBook, guarded_query, is_of_days
from semantic.query import ByTime, MetricRef, SemanticQuery, TimeWindow
from semantic.states import GuardedQuery
from semantic.trust import DEFAULT_TRUST, Trust

POLICY = RowPolicy(name="own", dataset="sales", roles=("manager",), field="channel", attribute="channels")
CATALOG = bench_catalog().model_copy(update={"row_policies": (POLICY,)})
CALLER = Principal(TenantId("acme"), UserId("a"), frozenset({Role.MANAGER}), {"channels": ("web",)})
NOON = dt.datetime(2024, 6, 15, 12, tzinfo=dt.UTC)
TOTAL = bench_queries()["total"]
AMOUNT = FieldRef(dataset="sales", field="amount")


class Asked:
    """One book, asked for the same again and again with one thing different."""

    def __init__(self, catalog: Catalog = CATALOG) -> None:
        self.catalog, self.book = catalog, GuardedBook(catalog, catalog)

    def __call__(
        self, query: SemanticQuery = TOTAL, caller: Principal = CALLER, at: dt.datetime = NOON, trust: Trust = DEFAULT_TRUST, full: Catalog | None = None
    ) -> GuardedQuery:  # fmt: skip
        return self.book.guarded(query, full or self.catalog, caller, as_of=at, trust=trust)


def since(start: dt.date | None, end: dt.date | None = None) -> SemanticQuery:
    return SemanticQuery(metrics=(MetricRef(metric="revenue"),), time=TimeWindow(window=Absolute(start=start, end=end)))


def above(value: object) -> SemanticQuery:
    where = Comparison(op=">", left=AMOUNT, right=Literal_.model_construct(value=value))
    return SemanticQuery(metrics=(MetricRef(metric="revenue"),), where=where)


class TestWhatIsFoundAgain:
    def test_is_what_the_kernel_makes(self) -> None:
        asked = Asked()
        for query in bench_queries().values():
            first = asked(query)
            assert asked(query.model_copy(deep=True)) is first
            assert first == guarded_query(query, CATALOG, CATALOG, CALLER, as_of=NOON)

    def test_is_for_colleagues_of_equal_rights_and_all_day(self) -> None:
        asked = Asked()
        colleague = replace(CALLER, user=UserId("b"), scopes=frozenset({"ask"}), attributes={"channels": ("web",)})
        midnight = dt.datetime(2024, 6, 15, 21, 59, 59, tzinfo=dt.UTC)  # in Berlin a second before it
        assert asked(caller=colleague, at=midnight) is asked()

    @pytest.mark.parametrize(
        "other",
        [
            replace(CALLER, tenant=TenantId("globex")),
            replace(CALLER, roles=frozenset({Role.ANALYST})),
            replace(CALLER, roles=frozenset({Role.MANAGER, Role.ANALYST})),
            replace(CALLER, custom=frozenset({"own"})),
            replace(CALLER, attributes={"channels": ("app",)}),
            replace(CALLER, attributes={"channels": ("web", "app")}),
            replace(CALLER, attributes={}),
        ],
        ids=["tenant", "role", "one role more", "own role", "value", "one value more", "no values"],
    )
    def test_is_not_for_callers_who_may_see_something_else(self, other: Principal) -> None:
        asked = Asked()
        ours = asked()
        theirs = asked(caller=other)
        assert theirs is not ours
        assert theirs == guarded_query(TOTAL, CATALOG, CATALOG, other, as_of=NOON)
        assert asked() is ours

    def test_is_not_for_another_day_trust_or_catalog(self) -> None:
        asked, loose = Asked(), Catalog.model_validate(bench_catalog().model_dump())
        ours = asked()
        tomorrow = dt.datetime(2024, 6, 15, 22, tzinfo=dt.UTC)  # in Berlin the day after
        assert asked(at=tomorrow.replace(year=2025)).params != ours.params
        assert asked(at=tomorrow) is not ours
        assert asked(full=loose).sql != ours.sql
        with pytest.raises(UserError):
            asked(trust=Trust(tenant_columns=frozenset({"org"})))

    @pytest.mark.parametrize(
        ("one", "other"),
        [(1, True), (1, Decimal(1)), (1.0, 1), (dt.date(2024, 1, 1), "2024-01-01"), ("1", 1), (Decimal("1.50"), Decimal("1.5"))],
    )
    def test_equal_or_alike_values_of_other_types_are_not_the_same_query(self, one: object, other: object) -> None:
        asked = Asked()
        for value in (one, other):
            try:
                expected: object = guarded_query(above(value), CATALOG, CATALOG, CALLER, as_of=NOON)
            except UserError as error:
                expected = error.code
            try:
                found: object = asked(above(value))
            except UserError as error:
                found = error.code
            assert repr(found) == repr(expected)


class TestWhatIsMadeAnew:
    @pytest.mark.parametrize(
        "query",
        [
            SemanticQuery(metrics=(MetricRef(metric="revenue"),), time=TimeWindow(window=Rolling(count=24, unit=Unit.HOUR))),
            SemanticQuery(metrics=(MetricRef(metric="revenue"),), by=(ByTime(grain=Grain.HOUR),), complete_periods_only=True),
            since(dt.datetime(2024, 6, 15, 9, tzinfo=dt.UTC), dt.datetime(2024, 6, 15, 11, tzinfo=dt.UTC)),
            SemanticQuery(
                metrics=(MetricRef(metric="revenue"),),
                where=Comparison(op="<", left=FieldRef(dataset="sales", field="sold_at"), right=Now(date_only=False)),
            ),
        ],
        ids=["last 24 hours", "complete hours", "an hour of the day", "this moment"],
    )
    def test_a_query_that_tells_moments_of_a_day_apart(self, query: SemanticQuery) -> None:
        asked, before = Asked(), NOON - dt.timedelta(hours=3)
        assert not is_of_days(query)
        assert asked(query, at=before) == guarded_query(query, CATALOG, CATALOG, CALLER, as_of=before) != asked(query)

    def test_any_query_where_the_catalog_tells_them_apart(self) -> None:
        metric = CATALOG.metrics[0].model_copy(
            update={"where": Comparison(op="<", left=FieldRef(dataset="sales", field="sold_at"), right=Now(date_only=False))}
        )
        asked = Asked(CATALOG.model_copy(update={"metrics": (metric, *CATALOG.metrics[1:])}))
        assert asked(at=NOON - dt.timedelta(hours=3)).params != asked().params

    def test_days_and_open_ends_are_kept(self) -> None:
        assert is_of_days(since(dt.date(2024, 1, 1)))
        assert is_of_days(since(None, dt.date(2024, 1, 1)))

    def test_what_was_refused(self) -> None:
        asked = Asked()
        for _ in range(2):
            with pytest.raises(UserError):
                asked(SemanticQuery(metrics=(MetricRef(metric="nothing"),)))

    def test_what_is_long(self) -> None:
        asked, many = Asked(), In(field=AMOUNT, values=tuple(range(10_000)))
        query = SemanticQuery(metrics=(MetricRef(metric="revenue"),), where=many)
        assert asked(query) == asked(query)
        assert asked(query) is not asked(query)

    def test_what_is_nested_without_end_is_refused(self) -> None:
        deep: Predicate = IsNull(field=AMOUNT)
        for _ in range(150):
            deep = Not(item=deep)
        for _ in range(2):  # deeper yet, its text cannot be written either
            with pytest.raises(QueryRejected, match="nested too deeply"):
                Asked()(SemanticQuery(metrics=(MetricRef(metric="revenue"),), where=deep))
            for _ in range(90):
                deep = Not.model_construct(kind="not", item=deep)

    def test_what_was_asked_longest_ago(self) -> None:
        book = GuardedBook(CATALOG, CATALOG, capacity=2)

        def ask(day: int) -> GuardedQuery:
            return book.guarded(since(dt.date(2024, 1, day)), CATALOG, CALLER, as_of=NOON, trust=DEFAULT_TRUST)

        first = ask(1)
        assert ask(2) is ask(2)
        ask(3)
        assert ask(1) is not first
