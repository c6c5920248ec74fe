"""Runs the sample projects of `fixtures/projects/` on the real releases."""
