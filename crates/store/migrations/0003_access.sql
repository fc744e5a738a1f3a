-- Robots: programs that use the image registry under a name and a secret of their own.

CREATE TABLE robots (
    name TEXT PRIMARY KEY,
    about TEXT NOT NULL,
    -- Of the secret, which is kept nowhere.
    secret_hash TEXT NOT NULL,
    -- When this secret was made; what was given for an earlier one is worth nothing.
    secret_at BIGINT NOT NULL,
    -- What it may do where.
    allowances TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Absent: it does not end by itself.
    expires_at BIGINT
);
