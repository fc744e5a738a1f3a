-- Times are milliseconds since 1970, identifiers and JSON are text: SQLite and PostgreSQL take it alike.

CREATE TABLE events (
    id BIGINT PRIMARY KEY,
    type TEXT NOT NULL,
    subject TEXT NOT NULL,
    time BIGINT NOT NULL,
    data TEXT NOT NULL
);

-- One row: the cursor of the newest event. Taking the next one serialises writers.
CREATE TABLE event_cursor (
    last BIGINT NOT NULL
);
INSERT INTO event_cursor (last) VALUES (0);

-- One row: who this stack is, for as long as its store lives.
CREATE TABLE stack (
    id TEXT PRIMARY KEY,
    created_at BIGINT NOT NULL
);

CREATE TABLE projects (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    location TEXT NOT NULL UNIQUE,
    folder TEXT NOT NULL,
    companion TEXT NOT NULL,
    manifest_digest TEXT,
    docker_config TEXT,
    added_at BIGINT NOT NULL
);

CREATE TABLE manifests (
    digest TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    recorded_at BIGINT NOT NULL
);

CREATE TABLE builds (
    build_hash TEXT PRIMARY KEY,
    project_id TEXT,
    job_id TEXT,
    state TEXT NOT NULL,
    manifest_digest TEXT NOT NULL,
    source_digest TEXT NOT NULL,
    record TEXT,
    cached BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX builds_by_project ON builds (project_id, started_at);
CREATE INDEX builds_by_manifest ON builds (manifest_digest);
CREATE INDEX builds_by_source ON builds (source_digest);

CREATE TABLE images (
    digest TEXT NOT NULL,
    build_hash TEXT NOT NULL REFERENCES builds (build_hash),
    container TEXT NOT NULL,
    size BIGINT NOT NULL,
    PRIMARY KEY (build_hash, container)
);
CREATE INDEX images_by_digest ON images (digest);

CREATE TABLE tags (
    tag TEXT NOT NULL,
    digest TEXT NOT NULL,
    build_hash TEXT NOT NULL REFERENCES builds (build_hash),
    PRIMARY KEY (tag, build_hash)
);

CREATE TABLE containers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    companion TEXT NOT NULL,
    project_id TEXT,
    meant TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE companions (
    name TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    record TEXT NOT NULL,
    registered_at BIGINT NOT NULL
);

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    project_id TEXT NOT NULL,
    state TEXT NOT NULL,
    request TEXT NOT NULL,
    steps TEXT NOT NULL,
    build_hash TEXT,
    result TEXT,
    error TEXT,
    remedy TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX jobs_by_project ON jobs (project_id, created_at);

CREATE TABLE job_log (
    job_id TEXT NOT NULL REFERENCES jobs (id),
    number BIGINT NOT NULL,
    step BIGINT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (job_id, number)
);

CREATE TABLE sign_in_codes (
    hash TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    hash TEXT PRIMARY KEY,
    principal TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
