"""The semantic kernel: catalog, SemanticQuery, resolve, compile, guard, verify, limits, warehouse, inference."""
