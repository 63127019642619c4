"""What a scan looks for in one metric's past: one look per module, each gives a fact for every test that it makes."""
