"""Is a candidate better than who serves now? Backtests on the same folds, and the gate that judges them with reasons."""
