-- Servers of tools: whose tools agents find here under a name of their own.
CREATE TABLE tool_servers (
    name TEXT PRIMARY KEY,
    -- JSON: a URL, or a command in words.
    address TEXT NOT NULL,
    added_at BIGINT NOT NULL
);

-- What of their tools may be used: as it was when it was first seen, or when somebody approved it.
CREATE TABLE server_tools (
    server TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Of what a model decides by.
    fingerprint TEXT NOT NULL,
    approved_by TEXT NOT NULL,
    approved_at BIGINT NOT NULL,
    PRIMARY KEY (server, name)
);
