-- How many have to approve what, who has, and what was done without waiting for them.

CREATE TABLE approval_rules (
    -- safe, disruptive, destructive, or * for all.
    class TEXT NOT NULL,
    -- The container's name, or * for all.
    container TEXT NOT NULL,
    approvals BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (class, container)
);

CREATE TABLE votes (
    code TEXT NOT NULL,
    person TEXT NOT NULL,
    -- Of the content they read.
    digest TEXT NOT NULL,
    voted_at BIGINT NOT NULL,
    PRIMARY KEY (code, person)
);

-- What was done in an emergency without all who should have approved, and who looked at it afterwards.
CREATE TABLE overrides (
    code TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    reason TEXT NOT NULL,
    overridden_at BIGINT NOT NULL,
    reviewed_by TEXT,
    reviewed_at BIGINT,
    review TEXT
);
