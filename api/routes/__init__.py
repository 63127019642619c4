"""HTTP routes, one file per thing."""
