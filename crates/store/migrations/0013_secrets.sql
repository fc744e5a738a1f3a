-- Secrets by name. What they say is in none of these columns but `sealed`, and there only under the stack's key.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    -- The last number given to a version: destroyed ones are counted, too.
    last_version BIGINT NOT NULL
);

CREATE TABLE secret_versions (
    secret TEXT NOT NULL,
    version BIGINT NOT NULL,
    -- Drawn at random: tells this version from one of the same name and number after a removal.
    id TEXT NOT NULL,
    -- current, superseded, destroyed
    state TEXT NOT NULL,
    -- An age file in base64; absent: it is kept in a vault, or destroyed.
    sealed TEXT,
    -- The public half of the key that it is sealed under, or `vault`.
    sealed_for TEXT NOT NULL,
    -- Its number in the vault that keeps it.
    vault_version BIGINT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (secret, version)
);

-- Who may use a secret, and where.
CREATE TABLE secret_grants (
    secret TEXT NOT NULL,
    -- project, container, build
    kind TEXT NOT NULL,
    -- The project's id: a name may become somebody else's.
    project_id TEXT NOT NULL,
    -- The container or application in its manifest; empty: all of them.
    part TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    granted_by TEXT NOT NULL,
    PRIMARY KEY (secret, kind, project_id, part)
);
