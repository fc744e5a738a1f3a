-- What people sign in with beside links and passwords: accounts at identity providers, and passkeys.

CREATE TABLE identity_providers (
    name TEXT PRIMARY KEY,
    -- What people call it.
    title TEXT NOT NULL,
    -- Its address; accounts are its own, whatever it is called here.
    issuer TEXT NOT NULL UNIQUE,
    client_id TEXT NOT NULL,
    -- Sealed under the stack's key for headers and the like; absent: it wants none.
    client_secret TEXT,
    -- What is asked for beside `openid`: a list.
    scopes TEXT NOT NULL,
    -- Which claim names somebody's groups.
    claim TEXT NOT NULL,
    -- Which group is which roles: an object of lists.
    roles TEXT NOT NULL,
    -- What somebody is of whom no group says anything; empty: nobody, and not let in.
    default_roles TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Whose account is whose. What an account is called may become somebody else's; its subject never does.
CREATE TABLE accounts (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    person TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX accounts_by_person ON accounts (person);

CREATE TABLE passkeys (
    -- What the authenticator calls it, in base64url.
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    -- What authenticators call its person, in base64url: drawn at random, and it says nothing of who it is.
    handle TEXT NOT NULL,
    -- The name of this stack under which it was made; it is good under no other.
    host TEXT NOT NULL,
    -- What its person calls it.
    about TEXT NOT NULL,
    -- What never changes of it, and what does with each use (its signature counter); both in base64url.
    fixed TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
);
CREATE INDEX passkeys_by_person ON passkeys (person, created_at);
