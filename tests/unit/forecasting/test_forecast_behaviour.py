"""What a good service does when something happens to a series. All data is made here."""

from __future__ import annotations

from datetime import UTC, datetime

import holidays
import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from core.timeseries import TimeSeries
from forecasting.conformal import knew_season
from forecasting.decomposition import decompose
from forecasting.effects import estimate_effects
from forecasting.engine import Effort, forecast, forecast_many
from forecasting.episodes import at_work, find_episodes
from forecasting.grid import Step
from forecasting.members.last_year import is_second_year, last_year
from forecasting.prepare import prepare
from forecasting.sudden_end import find_sudden_end
from forecasting.types import Forecast, ForecastInput

N = 400


def error(made: Forecast, truth: np.ndarray) -> float:
    return float(np.abs(made.mean - truth).mean())


@pytest.fixture
def y(weekly_pattern):
    return weekly_pattern(N + 14)


@pytest.fixture
def plain(y, item):
    return forecast(item(y[:N]))


class TestIncompleteLastBucket:
    def test_is_as_if_it_had_not_been_loaded(self, y, item, plain):
        loaded = y[: N + 1].copy()
        loaded[N] *= 0.3
        made = forecast(item(loaded, as_of=datetime(2024, 2, 6, 9, tzinfo=UTC)))
        np.testing.assert_array_equal(made.mean, plain.mean)
        np.testing.assert_array_equal(made.times, plain.times)
        assert any("incomplete" in note for note in made.notes)

    def test_complete_buckets_are_kept(self, y, item, plain):
        made = forecast(item(y[:N], as_of=datetime(2024, 2, 6, 0, tzinfo=UTC)))
        np.testing.assert_array_equal(made.mean, plain.mean)


class TestGaps:
    @pytest.mark.parametrize("first", [200, 360])
    def test_forecast_is_nearly_as_without_the_gap(self, y, item, times, plain, first):
        kept = np.r_[0:first, first + 25 : N]
        made = forecast(ForecastInput(TimeSeries("s", times(N)[kept], y[kept]), 14))
        assert error(made, y[N:]) < 1.25 * error(plain, y[N:])
        assert any("25 of 400" in note for note in made.notes)

    def test_missing_values_are_gaps_too(self, y, item, times):
        holed = y[:N].copy()
        holed[200:225] = np.nan
        kept = np.r_[0:200, 225:N]
        np.testing.assert_array_equal(
            forecast(item(holed)).mean, forecast(ForecastInput(TimeSeries("s", times(N)[kept], y[kept]), 14)).mean
        )


class TestRepeatedRows:
    def test_rows_loaded_twice_count_once(self, y, times, plain):
        again = np.r_[0:N, N - 50 : N]
        made = forecast(ForecastInput(TimeSeries("s", times(N)[again], y[again]), 14))
        np.testing.assert_array_equal(made.mean, plain.mean)
        assert any("50 rows repeated" in note for note in made.notes)

    def test_order_of_rows_does_not_matter(self, y, times, plain):
        mixed = np.random.default_rng(1).permutation(N)
        made = forecast(ForecastInput(TimeSeries("s", times(N)[mixed], y[mixed]), 14))
        np.testing.assert_array_equal(made.mean, plain.mean)


class TestLevelShift:
    @pytest.mark.parametrize(("days_ago", "share_of_shift"), [(60, 0.08), (14, 0.2), (5, 0.2)])
    def test_new_level_is_followed_soon(self, y, item, days_ago, share_of_shift):
        shifted = y.copy()
        shifted[N - days_ago :] += 80
        assert error(forecast(item(shifted[:N])), shifted[N:]) < share_of_shift * 80

    def test_it_is_said_and_widens_no_interval(self, y, item, plain):
        shifted = y[:N].copy()
        shifted[N - 30 :] += 80
        made = forecast(item(shifted))
        assert any("level changed for good on 2024-01-07" in note for note in made.notes)
        assert (made.upper[95] - made.lower[95]).mean() < 1.3 * (plain.upper[95] - plain.lower[95]).mean()

    def test_while_it_is_young_the_interval_reaches_back(self, y, item, plain):
        shifted = y[:N].copy()
        shifted[N - 14 :] += 160
        made = forecast(item(shifted))
        assert (made.lower[95][4:] < plain.upper[95][4:]).all()
        assert (made.lower[80] > plain.upper[80]).all()


class TestOneWildValue:
    @pytest.mark.parametrize("ago", [2, 3, 10, 20], ids=lambda ago: f"{ago} days before the end")
    def test_that_was_gone_at_once_changes_neither_forecast_nor_interval(self, y, item, plain, ago):
        wild = y[:N].copy()
        wild[N - ago] *= 10
        made = forecast(item(wild))
        assert np.abs(made.mean - plain.mean).max() < 5
        for level in (80, 95):
            assert (made.upper[level] - made.lower[level]).mean() < 1.25 * (plain.upper[level] - plain.lower[level]).mean()
        assert any("set aside" in note for note in made.notes)


class TestSuddenEnd:
    def test_one_wild_last_value_is_not_half_believed(self, y, item, plain):
        wild = y[:N].copy()
        wild[-1] = 300.0
        made = forecast(item(wild))
        assert np.abs(made.mean - plain.mean).max() < 10
        for level in (80, 95):
            assert (made.lower[level] < plain.mean).all()
            assert (made.upper[level] > 220).all()
        assert any("unlike anything before" in note for note in made.notes)

    def test_from_the_second_on_it_is_the_level_of_today(self, y, item, plain):
        wild = y[:N].copy()
        wild[-2:] += 200
        made = forecast(item(wild))
        assert error(made, y[N:] + 200) < 40
        assert (made.lower[95][3:] < plain.upper[95][3:]).all()

    def test_an_outage_that_goes_on_may_go_on(self, y, item, plain):
        out = y[:N].copy()
        out[-3:] = 0.0
        made = forecast(item(out))
        assert np.abs(made.mean - plain.mean).max() < 10
        assert (made.lower[80] == 0).all()

    def test_what_happened_before_is_no_surprise_and_leaps_are_how_some_series_are(self, y):
        slip, leaping = y[:N].copy(), np.cumsum(np.random.default_rng(2).normal(0, 3, N)) + 500
        slip[[200, N - 1]] = 300.0
        assert find_sudden_end(slip, (7,), 7) is not None
        leaping[-1] += 20
        assert find_sudden_end(leaping, (7,), 7) is None
        assert find_sudden_end(np.r_[np.full(199, 7.0), 9.0], (7,), 7) is None

    def test_a_known_cause_explains_it(self, y):
        flag = np.zeros(N + 14)
        flag[[200, N - 1]] = 1.0
        wild = y[:N].copy()
        wild[[200, N - 1]] += 200
        times = (np.datetime64("2023-01-02") + np.arange(N)).astype("datetime64[ns]")
        made = prepare(ForecastInput(TimeSeries("s", times, wild), 14, regressors={"day": flag[:N]}, future_regressors={"day": flag[N:]}))
        assert made.doubt is None


class TestEpisode:
    def test_an_outage_that_is_over_widens_nothing_and_is_said(self, y, item, plain):
        out = y[:N].copy()
        out[N - 60 : N - 45] = -400.0
        made = forecast(item(out))
        assert any("15 values between" in note for note in made.notes)
        assert (made.upper[95] - made.lower[95]).mean() < 1.5 * (plain.upper[95] - plain.lower[95]).mean()

    def test_what_happens_again_is_how_a_series_is(self):
        calm = np.random.default_rng(0).normal(100, 1, 400)
        once, thrice, yearly = calm.copy(), calm.copy(), np.random.default_rng(0).normal(100, 1, 800)
        once[200:210] = 200.0
        for first in (100, 200, 300):
            thrice[first : first + 10] = 200.0
        for first in (200, 565):
            yearly[first : first + 10] = 200.0
        np.testing.assert_array_equal(np.flatnonzero(find_episodes(once, (), 365, 14)), np.arange(200, 210))
        assert not find_episodes(thrice, (), 365, 14).any()
        assert not find_episodes(yearly, (), 365, 14).any()
        assert not find_episodes(once, (), 365, 170).any()  # its day of the year is ahead

    def test_a_stretch_that_a_known_cause_explains_is_none(self):
        spend = 10 + 3 * np.sin(np.arange(430) / 5)
        spend[204:208] = 90.0
        y = 100 + np.random.default_rng(3).normal(0, 2, 400)
        y[200:210] = 300.0
        assert find_episodes(y, (), 365, 14, at_work({}, 400)).any()
        assert not find_episodes(y, (), 365, 14, at_work({"driver": spend}, 400)).any()


class TestSecondYear:
    def test_last_years_summer_is_expected_again(self):
        days = pd.date_range("2023-01-02", periods=560, freq="D")
        y = 100 * np.exp(0.5 * np.sin(2 * np.pi * (np.arange(560) - 20) / 364)) * np.random.default_rng(0).lognormal(0, 0.03, 560)
        series = prepare(ForecastInput(TimeSeries("s", days[:500].to_numpy(), y[:500]), 60))
        said = np.abs(last_year(series) - y[500:]).mean()
        assert is_second_year(series)
        assert said < 0.6 * np.abs(y[499] - y[500:]).mean()
        assert not is_second_year(prepare(ForecastInput(TimeSeries("s", days[:380].to_numpy(), y[:380]), 60)))

    def test_a_whole_year_ahead_is_possible_and_more_is_not(self):
        days = pd.date_range("2023-01-02", periods=500, freq="D").to_numpy()
        assert np.isfinite(last_year(prepare(ForecastInput(TimeSeries("s", days, np.arange(500.0)), 366)))).all()
        with pytest.raises(ValueError, match="a year or less"):
            last_year(prepare(ForecastInput(TimeSeries("s", days, np.arange(500.0)), 400)))


class TestMovingHoliday:
    def test_an_easter_of_other_years_is_not_smeared_over_its_weeks(self):
        days = pd.date_range("2021-01-01", "2025-03-20", freq="D")
        closed = holidays.country_holidays("DE", years=range(2021, 2026))
        y = np.random.default_rng(0).normal(100, 3, len(days)) * np.where([day in closed for day in days], 0.2, 1.0)
        made = forecast(ForecastInput(TimeSeries("s", days.to_numpy(), y), 30, country="DE"))
        assert made.mean[:28].min() > 90
        assert made.mean[28] < 40  # Good Friday, 18 April


class TestShortSeries:
    def test_one_lucky_fold_makes_no_narrow_interval(self):
        months = pd.date_range("2022-01-01", periods=40, freq="MS")
        widths = []
        for seed in range(6):
            y = 1000 * np.exp(-0.05 * np.arange(40)) * np.random.default_rng(seed).lognormal(0, 0.05, 40)
            made = forecast(ForecastInput(TimeSeries("s", months.to_numpy(), y), 12))
            widths.append(((made.upper[80] - made.lower[80]) / made.mean)[:3].mean())
        assert min(widths) > 0.1

    def test_folds_that_had_not_seen_the_year_twice_say_nothing(self):
        assert knew_season(np.tile(np.sin(np.arange(52) / 52 * 2 * np.pi), 3), (120, 80), (52,)).tolist() == [True, False]
        assert knew_season(np.random.default_rng(0).normal(0, 1, 156), (120, 80), (52,)).all()


class TestClockChange:
    @pytest.mark.parametrize(("start", "days"), [("2024-02-10", 50), ("2024-10-07", 20)])
    def test_business_keeps_its_local_hour(self, start, days):
        utc = pd.date_range(start, periods=24 * (days + 2), freq="h")
        local = utc.tz_localize("UTC").tz_convert("Europe/Berlin")
        y = 50 + 30.0 * ((local.hour >= 9) & (local.hour < 18)) + np.random.default_rng(0).normal(0, 1, len(utc))
        n = 24 * days
        made = forecast(ForecastInput(TimeSeries("s", utc[:n].to_numpy(), y[:n]), 48, time_zone="Europe/Berlin"))
        np.testing.assert_array_equal(made.times, utc[n:].to_numpy())
        assert np.abs(made.mean - y[n:]).max() < 6

    def test_days_begin_at_local_midnight(self, weekly_pattern):
        days = pd.date_range("2024-01-01", periods=120, freq="D", tz="Europe/Berlin").tz_convert("UTC").tz_localize(None).to_numpy()
        y = weekly_pattern(120)
        made = forecast(ForecastInput(TimeSeries("s", days[:110], y[:110]), 10, time_zone="Europe/Berlin"))
        np.testing.assert_array_equal(made.times, days[110:])


class TestShortAndFlat:
    @pytest.mark.parametrize("n", [1, 2, 5, 12])
    def test_a_few_points_give_a_forecast(self, y, item, n):
        made = forecast(item(y[:n], 5))
        assert np.isfinite(made.mean).all()
        assert np.abs(made.mean - y[:n].mean()).max() < 60
        if n < 10:
            assert made.fallback is not None
            assert "too few" in made.fallback

    @pytest.mark.parametrize("value", [0.0, 3.3, -7.0, 1e12])
    def test_a_constant_stays_exactly_constant(self, item, value):
        made = forecast(item(np.full(90, value)))
        np.testing.assert_array_equal(made.mean, np.full(14, value))
        np.testing.assert_array_equal(made.upper[95], made.lower[95])


class TestClosedTimes:
    def test_weekends_stay_zero(self, y, item):
        closed = np.where(np.arange(N) % 7 >= 5, 0.0, y[:N])
        made = forecast(item(closed))
        weekend = (np.arange(N, N + 14) % 7) >= 5
        assert (made.mean[weekend] == 0).all()
        assert (made.upper[95][weekend] == 0).all()
        assert (made.mean[~weekend] > 50).all()

    def test_nights_stay_zero_and_nothing_is_below(self, item):
        hour = np.arange(24 * 40)
        open_now = (hour % 24 >= 8) & (hour % 24 < 20)
        y = np.where(open_now, 30 + 25 * np.sin(hour) + np.random.default_rng(0).normal(0, 5, hour.shape[0]), 0).clip(0)
        made = forecast(item(y, 48, unit="h"))
        night = ~((np.arange(48) % 24 >= 8) & (np.arange(48) % 24 < 20))
        assert (made.mean[night] == 0).all()
        assert all((bound >= 0).all() for bound in made.lower.values())

    def test_rare_demand_is_not_closed(self, item):
        rng = np.random.default_rng(0)
        y = np.where(rng.random(300) < 0.25, rng.poisson(5, 300), 0).astype(float)
        made = forecast(item(y))
        assert (made.upper[95] > 1).all()
        assert (made.mean >= 0).all()


class TestSign:
    def test_negative_values_are_forecast_where_history_has_them(self, y, item):
        made = forecast(item(y[:N] - 110))
        assert made.mean.min() < -10

    def test_never_negative_where_history_is_not(self, item):
        falling = np.maximum(0.0, 50 - np.arange(120) * 0.45 + np.random.default_rng(0).normal(0, 2, 120))
        made = forecast(item(falling, 60))
        assert (made.mean >= 0).all()
        assert (made.lower[95] >= 0).all()


class TestKnownCauses:
    def test_a_promotion_known_ahead_lifts_its_day(self, weekly_pattern, times):
        rng = np.random.default_rng(3)
        flag = (rng.random(430) < 0.05).astype(float)
        flag[410] = 1.0
        flag[411] = 0.0
        y = weekly_pattern(430) + 60 * flag
        series = TimeSeries("s", times(400), y[:400])
        made = forecast(ForecastInput(series, 30, regressors={"promo": flag[:400]}, future_regressors={"promo": flag[400:]}))
        assert 40 < made.mean[10] - made.mean[10 - 7] < 80

    def test_a_slow_driver_that_only_happens_to_move_alike_has_no_effect(self):
        kept = 0
        for seed in range(60):
            shocks = np.random.default_rng(seed).normal(0, 1, (2, 760))
            driver, noise = lfilter([1], [1, -0.97], shocks[0]), lfilter([1], [1, -0.8], shocks[1])
            kept += bool(estimate_effects(100 + noise[:730], (), Step(ns=86_400 * 10**9), 30, {"ads": driver}).parts)
        assert kept <= 1  # 4 with standard errors that take the errors of neighbouring days for unrelated

    def test_a_thorough_look_asks_prophet_too(self, weekly_pattern, times):
        flag = (np.random.default_rng(3).random(330) < 0.06).astype(float)
        y = weekly_pattern(330) + 60 * flag
        series = TimeSeries("s", times(300), y[:300])
        known = {"regressors": {"promo": flag[:300]}, "future_regressors": {"promo": flag[300:]}}
        item = ForecastInput(series, 30, **known)
        quick, thorough = forecast(item), forecast(item, effort=Effort.THOROUGH)
        assert "prophet" not in quick.model
        assert "prophet" in thorough.model
        assert error(thorough, y[300:]) < 6

    def test_a_holiday_of_the_country_is_expected(self, times):
        at = times(4 * 365 + 1, start="2020-01-01")
        y = 100 + np.random.default_rng(0).normal(0, 2, at.shape[0])
        day = pd.DatetimeIndex(at)
        y[(day.month == 7) & (day.day == 4)] = 20
        n = int(np.searchsorted(at, np.datetime64("2023-06-20")))
        made = forecast(ForecastInput(TimeSeries("s", at[:n], y[:n]), 20, country="US"))
        on_the_fourth = made.times == np.datetime64("2023-07-04", "ns")
        assert made.mean[on_the_fourth][0] < 45
        assert (made.mean[~on_the_fourth] > 85).all()

    def test_a_country_without_known_holidays_is_said(self, y, item, plain):
        made = forecast(item(y[:N], country="ZZ"))
        np.testing.assert_array_equal(made.mean, plain.mean)
        assert any("No holidays are known for country 'ZZ'" in note for note in made.notes)


class TestBatch:
    def test_one_bad_series_never_fails_the_rest(self, y, item):
        bad = item(np.full(30, np.nan), series_id="bad")
        made = forecast_many([item(y[:100], series_id="a"), bad, item(y[:120], series_id="b")])
        assert [f.series_id for f in made] == ["a", "bad", "b"]
        assert made[1].fallback is not None
        assert np.isfinite(made[1].mean).all()
        assert made[0].fallback is None
        assert made[2].fallback is None

    def test_progress_ends_at_the_total(self, y, item):
        seen: list[tuple[int, int]] = []
        forecast_many(
            [item(y[: 60 + k], 5, series_id=str(k)) for k in range(5)], on_progress=lambda done, total: seen.append((done, total))
        )
        assert seen[-1] == (5, 5)
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)

    def test_nothing_to_do_is_nothing(self):
        assert forecast_many([]) == []

    def test_an_unforeseen_error_on_one_series_is_its_own(self, y, item, monkeypatch):
        from forecasting import batch

        real = batch.trial

        def breaks(one, *rest, **options):
            if one.series_id == "b":
                raise RuntimeError("no luck")
            return real(one, *rest, **options)

        monkeypatch.setattr(batch, "trial", breaks)
        made = forecast_many([item(y[:80], series_id="a"), item(y[:80], series_id="b")])
        assert made[0].fallback is None
        assert made[1].fallback == "RuntimeError: no luck"
        np.testing.assert_allclose(made[1].mean, y[79])
        assert (made[1].lower[95] <= made[1].mean).all()

    def test_raising_in_progress_stops_the_work(self, y, item):
        from core.errors import Cancelled

        def stop(done: int, total: int) -> None:
            raise Cancelled("stopped")

        with pytest.raises(Cancelled):
            forecast_many([item(y[:80], series_id=str(k)) for k in range(3)], on_progress=stop)


class TestClosedDays:
    def _made(self, y):
        days = np.datetime64("2024-01-01", "ns") + np.arange(y.shape[0]) * np.timedelta64(1, "D")
        item = ForecastInput(TimeSeries("s", days, y), 14)
        return item, forecast(item)

    def test_open_days_are_forecast_as_if_there_were_no_closed_ones(self):
        rng = np.random.default_rng(2)
        every_day = 100 * np.exp(0.1 * (np.arange(301) % 7) + rng.normal(0, 0.05, 301))
        weekend = np.arange(315) % 7 >= 5
        item, made = self._made(np.where(weekend[:301], 0.0, every_day))
        assert (made.mean[weekend[301:]] == 0).all()
        assert (made.upper[95][weekend[301:]] == 0).all()
        np.testing.assert_allclose(made.mean[~weekend[301:]], self._made(every_day)[1].mean[~weekend[301:]], rtol=0.05)
        np.testing.assert_allclose(decompose(item).total, item.series.values, atol=1e-9)

    def test_what_is_the_same_on_every_open_day_stays_so(self):
        _, made = self._made(np.where(np.arange(70) % 7 >= 5, 0.0, 5.0))
        assert made.mean.tolist() == [5.0] * 5 + [0.0] * 2 + [5.0] * 5 + [0.0] * 2
