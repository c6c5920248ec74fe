-- The schema as the numbered steps leave it; for readers, and for the test that says so.

-- Ids of rollouts and attempts are numbers inside the database: small, and in order of insertion.

CREATE TABLE rollouts (
    id INTEGER PRIMARY KEY,
    rollout_id TEXT NOT NULL UNIQUE,
    start_time REAL NOT NULL,
    end_time REAL,
    mode TEXT,
    resources_id TEXT,
    status TEXT NOT NULL,
    config TEXT,
    attempts INTEGER NOT NULL,
    check_at REAL,
    queue_position INTEGER,
    span_sequence INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX rollouts_by_status ON rollouts (status, id);
CREATE INDEX rollouts_queue ON rollouts (queue_position) WHERE queue_position IS NOT NULL;
CREATE INDEX rollouts_checks ON rollouts (check_at) WHERE check_at IS NOT NULL;

-- Apart from the rollouts, whose rows are written many times: an input may be megabytes.
CREATE TABLE payloads (
    rollout INTEGER PRIMARY KEY,
    input TEXT NOT NULL,
    metadata TEXT NOT NULL
);

CREATE TABLE attempts (
    rollout INTEGER NOT NULL,
    sequence_id INTEGER NOT NULL,
    attempt_id TEXT NOT NULL,
    start_time REAL NOT NULL,
    end_time REAL,
    status TEXT NOT NULL,
    worker_id TEXT,
    last_heartbeat_time REAL,
    metadata TEXT,
    PRIMARY KEY (rollout, sequence_id)
) WITHOUT ROWID;
-- Claims of which nothing was heard yet, for those who ask again whether they got something.
CREATE INDEX attempts_preparing ON attempts (attempt_id) WHERE status = 'preparing';

-- The columns are what is searched and sorted by; `fields` has the whole span.
CREATE TABLE spans (
    id INTEGER PRIMARY KEY,
    rollout INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    sequence_id INTEGER NOT NULL,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    parent_id TEXT,
    name TEXT NOT NULL,
    start_time REAL,
    end_time REAL,
    fields TEXT NOT NULL
);
CREATE UNIQUE INDEX spans_once ON spans (rollout, attempt, span_id);

-- The set with the highest `put` is the latest.
CREATE TABLE resources (
    id INTEGER PRIMARY KEY,
    resources_id TEXT NOT NULL UNIQUE,
    put INTEGER NOT NULL,
    create_time REAL NOT NULL,
    update_time REAL NOT NULL,
    version INTEGER NOT NULL,
    resources TEXT NOT NULL
);
CREATE INDEX resources_latest ON resources (put);

CREATE TABLE workers (
    id INTEGER PRIMARY KEY,
    worker_id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    heartbeat_stats TEXT,
    last_heartbeat_time REAL,
    last_dequeue_time REAL,
    last_busy_time REAL,
    last_idle_time REAL,
    current_rollout_id TEXT,
    current_attempt_id TEXT
);

-- How many of everything there are, rollouts by status, so that nobody has to count a million.
-- The sum over the shards is the number.
CREATE TABLE totals (
    name TEXT NOT NULL,
    shard INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (name, shard)
) WITHOUT ROWID;

-- The last number that was given out of each series.
CREATE TABLE series (
    name TEXT PRIMARY KEY,
    last INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO series (name, last) VALUES ('queue_positions', 0), ('resource_puts', 0);
