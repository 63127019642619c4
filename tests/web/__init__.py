"""A package, so that its stack and its browser end with its last test: a browser's loop must not run on under others' tests."""
