-- Certificates of the stack's own authority: kept until they have expired, so that one can be refused before.
CREATE TABLE certificates (
    -- In hexadecimal digits.
    serial TEXT PRIMARY KEY,
    -- The identity it is for: spiffe://STACK/ci/NAME.
    identity TEXT NOT NULL,
    -- Who asked for it.
    issued_to TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- Since when it is refused, and why.
    refused_at BIGINT,
    refused_because TEXT
);

CREATE INDEX certificates_by_identity ON certificates (identity);
