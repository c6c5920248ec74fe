"""Whatever happens in whatever order, some things always hold."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from agentlightning_compat.lifecycle import rollouts as machine
from agentlightning_compat.lifecycle.records import (
    AttemptRecord,
    ConfigRecord,
    Pair,
    RolloutRecord,
)
from agentlightning_compat.model.rollouts import (
    ATTEMPT_STATUSES,
    FINISHED,
    ROLLOUT_STATUSES,
    RUNNING,
)

configs = st.builds(
    ConfigRecord,
    timeout_seconds=st.none() | st.integers(1, 20),
    unresponsive_seconds=st.none() | st.integers(1, 20),
    max_attempts=st.integers(1, 4),
    retry_condition=st.sets(st.sampled_from(["failed", "timeout", "unresponsive"])).map(tuple),
)
LOST_OR_DONE = sorted(ATTEMPT_STATUSES)


class Life(RuleBasedStateMachine):
    """Rollouts with a queue as a list, moved by everything that can happen to them."""

    rollouts = Bundle("rollouts")
    attempts = Bundle("attempts")

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.rollout: dict[str, RolloutRecord] = {}
        self.attempt: dict[tuple[str, int], AttemptRecord] = {}
        self.told: set[str] = set()

    def settle(self, pair: Pair) -> None:
        """Write a pair, after checking what this event may not have done."""
        before = self.rollout.get(pair.rollout.rollout_id)
        after = pair.rollout
        if before is not None:
            assert after.attempts >= before.attempts
            if before.status in FINISHED and after.status != before.status:
                assert after.rollout_id in self.told, "a finished rollout moved by itself"
        known = self.attempt.get((after.rollout_id, pair.attempt.sequence_id))
        if known is not None:
            assert known.attempt_id == pair.attempt.attempt_id
        self.rollout[after.rollout_id] = after
        self.attempt[after.rollout_id, pair.attempt.sequence_id] = pair.attempt
        self.told.clear()

    def pair(self, key: tuple[str, int]) -> Pair:
        return Pair(self.rollout[key[0]], self.attempt[key])

    @rule(target=rollouts, config=configs)
    def enqueue(self, config: ConfigRecord) -> str:
        key = f"r{len(self.rollout)}"
        self.rollout[key] = RolloutRecord(key, None, self.now, config=config)
        return key

    @rule(target=attempts)
    def dequeue(self):
        queued = [r for r in self.rollout.values() if machine.in_queue(r)]
        if not queued:
            return multiple()
        return self.begin(queued[0])

    @rule(target=attempts, key=rollouts)
    def start_attempt(self, key: str) -> tuple[str, int]:
        self.told.add(key)
        return self.begin(self.rollout[key])

    def begin(self, rollout: RolloutRecord) -> tuple[str, int]:
        number = rollout.attempts + 1
        claimed = machine.claim(rollout, f"a{number}", "w", self.now)
        assert claimed.attempt.sequence_id == number
        assert (rollout.rollout_id, number) not in self.attempt
        self.settle(claimed)
        return rollout.rollout_id, number

    @rule(key=attempts)
    def span(self, key: tuple[str, int]) -> None:
        before = self.pair(key)
        after = machine.span_stored(*before, self.now)
        assert after.attempt.last_heartbeat_time == self.now
        self.settle(after)

    @rule(key=attempts, status=st.sampled_from(LOST_OR_DONE))
    def report(self, key: tuple[str, int], status: str) -> None:
        before = self.pair(key)
        after = machine.attempt_updated(before, {"status": status}, self.now)
        if not machine.is_latest(*before):
            assert after.rollout == before.rollout, "an attempt that lost its rollout moved it"
        if before.rollout.status == "cancelled":
            assert after.rollout.status == "cancelled"
        self.told.add(key[0])
        self.settle(after)

    @rule(key=attempts, past=st.integers(0, 30))
    def heartbeat(self, key: tuple[str, int], past: int) -> None:
        changes = {"last_heartbeat_time": self.now - past}
        self.settle(machine.attempt_updated(self.pair(key), changes, self.now))

    @rule(key=rollouts, status=st.sampled_from(sorted(ROLLOUT_STATUSES)))
    def command(self, key: str, status: str) -> None:
        before = self.rollout[key]
        latest = self.attempt.get((key, before.attempts))
        after = machine.rollout_updated(before, latest, {"status": status}, self.now)
        assert after.status == status
        self.rollout[key] = after

    @rule(key=rollouts, config=configs)
    def configure(self, key: str, config: ConfigRecord) -> None:
        before = self.rollout[key]
        latest = self.attempt.get((key, before.attempts))
        self.rollout[key] = machine.rollout_updated(before, latest, {"config": config}, self.now)

    @rule(seconds=st.integers(-3, 15))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        due = [r for r in self.rollout.values() if r.check_at is not None and r.check_at < self.now]
        for rollout in due:
            latest = self.attempt[rollout.rollout_id, rollout.attempts]
            after = machine.overdue(rollout, latest, self.now)
            if after is not None:
                self.settle(after)

    @invariant()
    def nobody_is_overdue_unseen(self) -> None:
        for rollout in self.rollout.values():
            if rollout.status not in RUNNING or not rollout.attempts:
                continue
            latest = self.attempt[rollout.rollout_id, rollout.attempts]
            if latest.status not in RUNNING:
                continue
            end = machine.deadline(rollout.config, latest)
            # What is looked at is never later than what is due.
            assert end is None or (rollout.check_at is not None and rollout.check_at <= end)

    @invariant()
    def ends_are_the_ends_of_finished_ones(self) -> None:
        for rollout in self.rollout.values():
            assert (rollout.end_time is not None) == (rollout.status in FINISHED)
            if rollout.check_at is not None:
                assert rollout.status in RUNNING
        for attempt in self.attempt.values():
            ended = attempt.status in ("failed", "succeeded")
            assert (attempt.end_time is not None) == ended

    @invariant()
    def one_attempt_speaks(self) -> None:
        for (key, number), attempt in self.attempt.items():
            assert number <= self.rollout[key].attempts
            assert attempt.sequence_id == number
        speaking = [key for key in self.attempt if machine.is_latest(*self.pair(key))]
        assert len(speaking) == len({key for key, _ in speaking})


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestLife = Life.TestCase
