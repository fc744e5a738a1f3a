-- Solutions: what was finished and may be used by others. A version, once there, stays what it is.
CREATE TABLE solutions (
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    -- container, tool or configuration
    kind TEXT NOT NULL,
    description TEXT NOT NULL,
    -- Of containers and tools.
    build_hash TEXT,
    -- Everything else that is said of it, as JSON.
    record TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (name, version)
);
CREATE INDEX solutions_by_build ON solutions (build_hash);

-- Which solution cannot be without which other.
CREATE TABLE solution_needs (
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    -- needs, or derived-from
    how TEXT NOT NULL,
    needed_name TEXT NOT NULL,
    needed_version TEXT NOT NULL,
    PRIMARY KEY (name, version, how, needed_name, needed_version)
);
CREATE INDEX solution_needs_by_needed ON solution_needs (needed_name, needed_version);
