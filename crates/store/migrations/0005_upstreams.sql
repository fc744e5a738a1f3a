-- Registries elsewhere that the registry here is a mirror of. Passwords are not kept here.

CREATE TABLE upstreams (
    -- The first part of the names of the repositories that are fetched from it.
    name TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    -- The registry that it is in names of images.
    registry TEXT NOT NULL UNIQUE,
    user_name TEXT,
    -- For so many seconds a tag is not asked for again.
    fresh_seconds BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- When an upstream said last what a tag means.
CREATE TABLE upstream_tags (
    repository TEXT NOT NULL,
    tag TEXT NOT NULL,
    checked_at BIGINT NOT NULL,
    PRIMARY KEY (repository, tag)
);
