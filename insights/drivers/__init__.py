"""Which combinations of dimension values go with a change. Pure numbers, no I/O."""
