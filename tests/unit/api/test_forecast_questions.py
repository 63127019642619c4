"""Words and options about the future as parameters of a forecast."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from api.cli.studies import asked_forecast
from api.fields import field_named
from api.outlooks import driver_named, forecast_params
from api.routes.forecasts import forecast_job_params
from core.clock import FixedClock
from core.errors import Invalid, NotFound, UserError
from core.ids import TenantId, UserId
from core.principal import Principal, Role
from nlq.understand import Understander
from semantic.catalog.model import Catalog
from workers.demo.catalog import demo_catalog
from workers.demo.world import WORLDS
from workers.kinds import checked_params

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
WHO = Principal(TenantId("acme"), UserId("usr_a"), frozenset({Role.ANALYST}))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return demo_catalog(WORLDS[0])


@pytest.fixture(scope="module")
def understander(catalog: Catalog) -> Understander:
    return Understander(catalog)


def asked(understander: Understander, catalog: Catalog, question: str, as_of: dt.datetime = NOW) -> dict[str, Any]:
    found = understander.understand(question, as_of=as_of)
    assert found.outcome == "answer", found.message
    services: Any = SimpleNamespace(clock=FixedClock(NOW))
    params = forecast_params(services, WHO, catalog, found.readings[0], question, as_of)
    return checked_params("forecast", params)


class TestQuestions:
    def test_a_quarter_is_one_figure_and_three_months_are_steps(self, understander: Understander, catalog: Catalog) -> None:
        quarter = asked(understander, catalog, "what will revenue be next quarter by region?")
        assert quarter["period"]["label"] == "next quarter"
        assert quarter["segments"][0]["field"] == "region"
        months = asked(understander, catalog, "forecast revenue for the next 3 months")
        assert (months["period"], months["grain"], months["horizon_steps"]) == (None, "month", 4)  # with the running one

    @pytest.mark.parametrize("question", ["forecast revenue by month until year end", "what will monthly revenue be this year"])
    def test_asked_steps_stay_steps(self, understander: Understander, catalog: Catalog, question: str) -> None:
        found = asked(understander, catalog, question)
        assert (found["period"], found["grain"], found["horizon_steps"]) == (None, "month", 2)

    def test_how_many_counts_and_never_falls_back_to_another_measure(self, understander: Understander, catalog: Catalog) -> None:
        found = asked(understander, catalog, "how many customers will we have by year end?")
        assert found["metric"] is None
        assert (found["measure"]["aggregate"], found["measure"]["dataset"]) == ("count", "customers")
        assert found["period"]["label"] == "this year"

    def test_goals_percent_and_grain(self, understander: Understander, catalog: Catalog) -> None:
        rate = asked(understander, catalog, "will the refund rate stay below 3% next month?")
        assert rate["goal"] == {"target": 0.03, "direction": "at_most", "goal_id": None}
        level = asked(understander, catalog, "when will revenue reach 7M?")
        assert (level["grain"], level["goal"]["target"]) == ("month", 7e6)
        count = asked(understander, catalog, "when will we reach 1 million customers?")
        assert (count["grain"], count["goal"]["target"]) == ("day", 1e6)

    def test_a_scenario_names_its_driver(self, understander: Understander, catalog: Catalog) -> None:
        found = asked(understander, catalog, "what happens to revenue next quarter if we cut ad spend by 20%?")
        assert found["scenario"] == {"driver": "ad_spend", "change_percent": -20.0}

    def test_a_question_of_another_day_gets_its_period_as_dates(self, understander: Understander, catalog: Catalog) -> None:
        found = asked(understander, catalog, "what will revenue be next quarter?", dt.datetime(2026, 5, 2, tzinfo=dt.UTC))
        window = found["period"]["window"]
        assert (window["kind"], window["start"][:10], window["end"][:10]) == ("absolute", "2026-07-01", "2026-10-01")


class TestNames:
    def test_fields_by_name_and_by_dataset(self, catalog: Catalog) -> None:
        assert str(field_named("region", catalog)) == str(field_named("countries.region", catalog))
        with pytest.raises(NotFound) as unknown:
            field_named("planet", catalog)
        assert "region" in unknown.value.suggestions
        with pytest.raises(Invalid) as several:
            field_named("order date", catalog)
        assert several.value.code == "ambiguous_field"

    def test_drivers_by_label_synonym_and_typo(self, catalog: Catalog) -> None:
        assert (
            driver_named("Ad Spend", catalog) == driver_named("marketing spend", catalog) == driver_named("ad spnd", catalog) == "ad_spend"
        )
        with pytest.raises(UserError) as unknown:
            driver_named("the weather", catalog)
        assert unknown.value.code == "unknown_driver"


class TestOptions:
    def body(self, catalog: Catalog, **more: Any) -> dict[str, Any]:
        options = {"horizon": None, "grain": None, "by": None, "period": None, "goal": None, "change": None} | more
        return checked_params("forecast", forecast_job_params(asked_forecast("revenue", catalog, NOW, **options), catalog))

    def test_they_say_what_questions_say(self, catalog: Catalog) -> None:
        found = self.body(catalog, horizon=3, grain="month", by=["region"])
        assert (found["horizon_steps"], found["grain"], len(found["segments"])) == (3, "month", 1)
        found = self.body(catalog, period="this year", goal="65M", change="ad spend grows 10%")
        assert found["goal"]["target"] == 65e6
        assert found["scenario"]["change_percent"] == 10.0
        assert found["period"]["label"] == "this year"

    @pytest.mark.parametrize(
        ("options", "code"),
        [
            ({"period": "last quarter"}, "bad_period"),
            ({"goal": "lots"}, "bad_goal"),
            ({"change": "sunshine"}, "bad_scenario"),
            ({"grain": "fortnight"}, "bad_forecast"),
        ],
    )
    def test_what_is_not_understood_is_refused(self, catalog: Catalog, options: dict[str, Any], code: str) -> None:
        with pytest.raises(Invalid) as refused:
            self.body(catalog, **options)
        assert refused.value.code == code
