"""How a runner's rollouts went so far."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Tally:
    """Counts of a runner: what it has in hand, and what became of the others."""

    running: int = 0
    succeeded: int = 0
    failed: int = 0
    rewards: int = 0
    reward_sum: float = 0.0

    @property
    def done(self) -> int:
        """Rollouts that are through, one way or the other."""
        return self.succeeded + self.failed

    @property
    def mean_reward(self) -> float | None:
        """Of those that have a reward; None before there is one."""
        return self.reward_sum / self.rewards if self.rewards else None

    def ended(self, succeeded: bool, reward: float | None) -> None:
        """One more is through."""
        self.running -= 1
        self.succeeded += succeeded
        self.failed += not succeeded
        if reward is not None:
            self.rewards += 1
            self.reward_sum += reward

    def __str__(self) -> str:
        mean = self.mean_reward
        reward = "" if mean is None else f", mean reward {mean:.4g}"
        return f"{self.succeeded} succeeded, {self.failed} failed, {self.running} running{reward}"
