-- What the registry serves. Content itself lies in the content store, by digest; here is which repository has it.
-- Names are in the order of their bytes: a PostgreSQL database has to have the C collation.

CREATE TABLE repositories (
    name TEXT PRIMARY KEY,
    created_at BIGINT NOT NULL,
    -- Whether anybody may pull.
    anonymous_pull BIGINT NOT NULL DEFAULT 0,
    -- Whether a tag, once there, stays what it is.
    immutable_tags BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE registry_manifests (
    repository TEXT NOT NULL REFERENCES repositories (name),
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    artifact_type TEXT,
    -- The digest of what it says something about.
    subject TEXT,
    annotations TEXT NOT NULL,
    pushed_at BIGINT NOT NULL,
    PRIMARY KEY (repository, digest)
);
CREATE INDEX registry_manifests_by_subject ON registry_manifests (repository, subject);
CREATE INDEX registry_manifests_by_digest ON registry_manifests (digest);

CREATE TABLE registry_tags (
    repository TEXT NOT NULL REFERENCES repositories (name),
    tag TEXT NOT NULL,
    digest TEXT NOT NULL,
    pushed_at BIGINT NOT NULL,
    PRIMARY KEY (repository, tag)
);
CREATE INDEX registry_tags_by_digest ON registry_tags (repository, digest);

CREATE TABLE registry_blobs (
    repository TEXT NOT NULL REFERENCES repositories (name),
    digest TEXT NOT NULL,
    size BIGINT NOT NULL,
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (repository, digest)
);
CREATE INDEX registry_blobs_by_digest ON registry_blobs (digest);
