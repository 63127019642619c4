"""The pool: each member turns a prepared series into point forecasts. `forecasting.members.pool` lists them all."""
