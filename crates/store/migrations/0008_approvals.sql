-- What was proposed to be done to containers, and what became of it.
CREATE TABLE proposals (
    -- What people call it by: 7Q2. Never given twice.
    code TEXT PRIMARY KEY,
    container_id TEXT NOT NULL,
    container TEXT NOT NULL,
    -- Who proposes it: the companion, a runbook.
    origin TEXT NOT NULL,
    -- The steps in one word, as policies name them.
    action TEXT NOT NULL,
    -- The same for proposals to do the same in the same state.
    same TEXT NOT NULL,
    -- Of the content; who approves it approves that.
    digest TEXT NOT NULL,
    -- JSON; never changed.
    content TEXT NOT NULL,
    -- open, approved, running, done, failed, undone, escalated, denied, expired, withdrawn or interrupted
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    decided_by TEXT,
    decided_at BIGINT,
    begun_at BIGINT,
    ended_at BIGINT,
    -- What came of it, in words.
    outcome TEXT
);
CREATE INDEX proposals_by_state ON proposals (state, created_at);
CREATE INDEX proposals_by_container ON proposals (container_id, created_at);

-- What may be done without asking a person: this action on this container, so often.
CREATE TABLE guard_rails (
    name TEXT PRIMARY KEY,
    action TEXT NOT NULL,
    container TEXT NOT NULL,
    times BIGINT NOT NULL,
    within_seconds BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
