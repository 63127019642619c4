"""A language model as a reader of last resort: it may only name a SemanticQuery over the visible catalog, which is checked like any other."""
