-- What was said to whom, and what came of it.
CREATE TABLE exchanges (
    id TEXT PRIMARY KEY,
    -- Grows in the order they ended in: where a page of a list goes on.
    number BIGINT NOT NULL UNIQUE,
    -- Who said it, as the answerer was told.
    sender TEXT NOT NULL,
    -- Who that was to this stack.
    principal TEXT NOT NULL,
    recipient TEXT NOT NULL,
    -- What the recipient is compared by.
    recipient_key TEXT NOT NULL,
    -- socket, http, mcp, federated, command, inbox
    way TEXT NOT NULL,
    -- answered, cut, kept, forwarded, waiting, away, too-slow, refused, failed, unheard
    outcome TEXT NOT NULL,
    -- Why it was not answered.
    reason TEXT,
    began_at BIGINT NOT NULL,
    milliseconds BIGINT NOT NULL,
    bytes_sent BIGINT NOT NULL,
    bytes_received BIGINT NOT NULL,
    -- The team chat it was part of.
    team TEXT,
    -- The words themselves, where they are to be kept.
    message TEXT,
    answer TEXT
);
CREATE INDEX exchanges_by_recipient ON exchanges (recipient_key, number);

-- Messages to somebody who was away, and those that never reached them.
CREATE TABLE waiting_messages (
    id TEXT PRIMARY KEY,
    -- The order they came in.
    number BIGINT NOT NULL UNIQUE,
    sender TEXT NOT NULL,
    principal TEXT NOT NULL,
    recipient TEXT NOT NULL,
    recipient_key TEXT NOT NULL,
    content TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    -- waiting, dead
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    -- Why it did not arrive the last time.
    reason TEXT,
    -- When it was given up.
    died_at BIGINT
);
CREATE INDEX waiting_messages_by_recipient ON waiting_messages (recipient_key, state, number);

-- What waits in the inboxes of terminals.
CREATE TABLE inbox_messages (
    id TEXT PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    terminal_key TEXT NOT NULL,
    sender TEXT NOT NULL,
    -- Whom it was said to, if not to the terminal itself.
    meant_for TEXT,
    content TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    read_at BIGINT
);
CREATE INDEX inbox_messages_by_terminal ON inbox_messages (terminal_key, number);

-- Whose messages go to which terminal, where a person sits in for them.
CREATE TABLE forwards (
    companion_key TEXT PRIMARY KEY,
    companion TEXT NOT NULL,
    terminal TEXT NOT NULL,
    terminal_key TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- What somebody is there for, where a person said so.
CREATE TABLE purposes (
    companion_key TEXT PRIMARY KEY,
    purpose TEXT NOT NULL,
    said_by TEXT NOT NULL,
    said_at BIGINT NOT NULL
);

-- The last number given to an exchange, a message that waits and one in an inbox.
CREATE TABLE message_numbers (
    kind TEXT PRIMARY KEY,
    last BIGINT NOT NULL
);
INSERT INTO message_numbers (kind, last) VALUES ('exchange', 0), ('waiting', 0), ('inbox', 0);
