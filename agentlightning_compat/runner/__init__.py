"""Runners: they claim rollouts from a store, have an agent do them, and report what came of it."""
