-- What a build is called and what it is made of, so that any of it, or the beginning of it, leads to the build.
CREATE TABLE build_names (
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    build_hash TEXT NOT NULL REFERENCES builds (build_hash),
    PRIMARY KEY (name, role, build_hash)
);
CREATE INDEX build_names_by_role ON build_names (role, name);
CREATE INDEX build_names_by_build ON build_names (build_hash);
