-- Every claim leaves a dead entry at the front of an index that the next claims and pages read:
-- these are swept up after a thousand or one in a hundred, not after one in five.
ALTER TABLE rollouts SET (
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_cost_delay = 0
);
ALTER TABLE attempts SET (
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_cost_delay = 0
);
