-- People, what they sign in with, and the policies of a stack's own.

CREATE TABLE people (
    name TEXT PRIMARY KEY,
    -- What they are: a list of names.
    roles TEXT NOT NULL,
    -- Argon2id, as a PHC string; absent: they sign in with links only.
    password TEXT,
    created_at BIGINT NOT NULL,
    -- Since when they may not come in; absent: they may.
    disabled_at BIGINT
);

-- What programs of a person show.
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    -- What it is for, in its person's words.
    about TEXT NOT NULL,
    -- Of the token, which is kept nowhere.
    hash TEXT NOT NULL UNIQUE,
    -- With which of their roles; absent: with all of them.
    roles TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT
);
CREATE INDEX tokens_by_person ON tokens (person, created_at);

-- What one session is called when it is listed or ended; it opens nothing.
ALTER TABLE sessions ADD COLUMN id TEXT NOT NULL DEFAULT '';
-- What the browser said of itself, and from where.
ALTER TABLE sessions ADD COLUMN agent TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN last_used_at BIGINT NOT NULL DEFAULT 0;
-- Sessions from before have no name to be called by: they are opened anew.
DELETE FROM sessions;

-- For whom a code is.
ALTER TABLE sign_in_codes ADD COLUMN person TEXT NOT NULL DEFAULT 'owner';

ALTER TABLE robots ADD COLUMN roles TEXT NOT NULL DEFAULT '[]';
ALTER TABLE robots ADD COLUMN last_used_at BIGINT;

CREATE TABLE policies (
    name TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL
);
