"""What a forecast job is made of: parts of a metric, partial buckets, paths, periods, goals, scenarios, batches and scores."""
