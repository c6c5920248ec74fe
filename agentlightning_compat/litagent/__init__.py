"""Agents: classes with rollout methods, and functions that are made into agents."""
