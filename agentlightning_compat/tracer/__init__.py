"""Tracers: what an agent does, as spans in the store."""
