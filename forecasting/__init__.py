"""Forecasts of metrics: series in, point forecasts with intervals out. Pure numbers, no I/O.

Start with `forecasting.engine`: `forecast` for one series, `forecast_many` for a batch.
"""
