-- The schema as the numbered steps leave it; for readers, and for the test that says so.

-- Ids of rollouts and attempts are numbers inside the database: small, and in order of insertion.

CREATE TABLE rollouts (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rollout_id TEXT COLLATE "C" NOT NULL UNIQUE,
    start_time DOUBLE PRECISION NOT NULL,
    end_time DOUBLE PRECISION,
    mode TEXT COLLATE "C",
    resources_id TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL,
    config TEXT,
    attempts BIGINT NOT NULL,
    check_at DOUBLE PRECISION,
    queue_position BIGINT,
    span_sequence BIGINT NOT NULL DEFAULT 0
) WITH (
    -- Every claim leaves a dead entry at the front of an index that the next claims and pages
    -- read: these are swept up after a thousand or one in a hundred, not after one in five.
    fillfactor = 70,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX rollouts_by_status ON rollouts (status, id);
CREATE INDEX rollouts_queue ON rollouts (queue_position) WHERE queue_position IS NOT NULL;
CREATE INDEX rollouts_checks ON rollouts (check_at) WHERE check_at IS NOT NULL;

-- Apart from the rollouts, whose rows are written many times: an input may be megabytes.
CREATE TABLE payloads (
    rollout BIGINT PRIMARY KEY,
    input TEXT NOT NULL,
    metadata TEXT NOT NULL
);

CREATE TABLE attempts (
    rollout BIGINT NOT NULL,
    sequence_id BIGINT NOT NULL,
    attempt_id TEXT COLLATE "C" NOT NULL,
    start_time DOUBLE PRECISION NOT NULL,
    end_time DOUBLE PRECISION,
    status TEXT COLLATE "C" NOT NULL,
    worker_id TEXT COLLATE "C",
    last_heartbeat_time DOUBLE PRECISION,
    metadata TEXT,
    PRIMARY KEY (rollout, sequence_id)
) WITH (
    fillfactor = 70,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_cost_delay = 0
);
-- Claims of which nothing was heard yet, for those who ask again whether they got something.
CREATE INDEX attempts_preparing ON attempts (attempt_id) WHERE status = 'preparing';

-- The columns are what is searched and sorted by; `fields` has the whole span.
CREATE TABLE spans (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rollout BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    sequence_id BIGINT NOT NULL,
    trace_id TEXT COLLATE "C" NOT NULL,
    span_id TEXT COLLATE "C" NOT NULL,
    parent_id TEXT COLLATE "C",
    name TEXT COLLATE "C" NOT NULL,
    start_time DOUBLE PRECISION,
    end_time DOUBLE PRECISION,
    fields TEXT NOT NULL
);
CREATE UNIQUE INDEX spans_once ON spans (rollout, attempt, span_id);

-- The set with the highest `put` is the latest.
CREATE TABLE resources (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resources_id TEXT COLLATE "C" NOT NULL UNIQUE,
    put BIGINT NOT NULL,
    create_time DOUBLE PRECISION NOT NULL,
    update_time DOUBLE PRECISION NOT NULL,
    version BIGINT NOT NULL,
    resources TEXT NOT NULL
);
CREATE INDEX resources_latest ON resources (put);

CREATE TABLE workers (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    worker_id TEXT COLLATE "C" NOT NULL UNIQUE,
    status TEXT COLLATE "C" NOT NULL,
    heartbeat_stats TEXT,
    last_heartbeat_time DOUBLE PRECISION,
    last_dequeue_time DOUBLE PRECISION,
    last_busy_time DOUBLE PRECISION,
    last_idle_time DOUBLE PRECISION,
    current_rollout_id TEXT COLLATE "C",
    current_attempt_id TEXT COLLATE "C"
) WITH (fillfactor = 70);

-- How many of everything there are, rollouts by status, so that nobody has to count a million.
-- The sum over the shards is the number.
CREATE TABLE totals (
    name TEXT COLLATE "C" NOT NULL,
    shard BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (name, shard)
) WITH (fillfactor = 70);

CREATE SEQUENCE queue_positions;
CREATE SEQUENCE resource_puts;
