"""Alerts: rules -> signals -> events -> incidents -> messages. Plain functions; jobs, ticks and the API are shells around them."""
