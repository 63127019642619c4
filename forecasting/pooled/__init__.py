"""One small network learned over all series of a batch: what one series is too short to show, its neighbours do."""
