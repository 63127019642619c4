"""Forecasts of metrics: series in, point forecasts with intervals out. Pure numbers, no I/O.

`engine.forecast` for one series, `engine.forecast_many` for a batch, `engine.backtest` for how good it was, `hierarchy.reconcile` for parts
and wholes, `decomposition.decompose` for what a forecast is made of.
"""
