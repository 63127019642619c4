"""Facts, drivers, headlines, narratives, charts: what people read. Every number comes from a fact."""
