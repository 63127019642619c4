"""The demo: two invented companies, four years of daily data, and the key to what was planted in them."""
