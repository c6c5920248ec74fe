"""The trainer: an algorithm, runners and a store, put together and run."""
