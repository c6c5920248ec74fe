"""The state machine of rollouts, attempts and workers; every store asks it what happens next."""
