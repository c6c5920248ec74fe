"""Rewrite a repository from agent-lightning's legacy API to the store API."""
