"""Algorithms: what puts rollouts into the store and looks at what came of them."""
