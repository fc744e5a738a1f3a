-- When a tag stopped meaning it last; 0: none ever did. Who used the tag until then may still use the manifest.
ALTER TABLE registry_manifests ADD COLUMN released_at BIGINT NOT NULL DEFAULT 0;

-- What the registry's upkeep came to, the last time: one row for each kind.
CREATE TABLE registry_upkeep (
    kind TEXT PRIMARY KEY,
    finished_at BIGINT NOT NULL,
    report TEXT NOT NULL
);
