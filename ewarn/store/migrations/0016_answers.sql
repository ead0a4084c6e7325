-- What recipients answered on their own pages: one row an answer, however often it was posted or taken in.
CREATE TABLE answer (
    id VARCHAR NOT NULL, delivery VARCHAR NOT NULL, alert VARCHAR NOT NULL, version BIGINT NOT NULL,
    destination VARCHAR NOT NULL, act VARCHAR NOT NULL,     -- read | acted
    answered_at TIMESTAMPTZ NOT NULL, collected_at TIMESTAMPTZ NOT NULL, name VARCHAR NOT NULL,
    organisation VARCHAR NOT NULL, text VARCHAR NOT NULL, forwarded BOOLEAN NOT NULL
);

-- Who does not get a version, and why, as it was decided when its deliveries were written.
CREATE TABLE withheld (
    alert VARCHAR NOT NULL, version BIGINT NOT NULL, destination VARCHAR NOT NULL, reason VARCHAR NOT NULL
);

-- A delivery that repeats an unread text, in a thread with it. Null: written before there were any.
ALTER TABLE delivery ADD COLUMN nudge BOOLEAN;

-- Unread alerts that were taken further, each once: who was told of which destination.
CREATE TABLE escalation (
    alert VARCHAR NOT NULL, version BIGINT NOT NULL, destination VARCHAR NOT NULL, escalated_at TIMESTAMPTZ NOT NULL,
    told VARCHAR NOT NULL
);

-- Mail that came back: what the mail system says of a delivery, or of none that is known.
CREATE TABLE bounce (
    id VARCHAR NOT NULL,            -- hash of the message
    delivery VARCHAR NOT NULL, destination VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,          -- permanent | delayed | delivered | automatic | unknown
    status VARCHAR NOT NULL, words VARCHAR NOT NULL, read_at TIMESTAMPTZ NOT NULL
);

-- Messages to oneself that prove the way out and back.
CREATE TABLE canary (
    id VARCHAR NOT NULL, day VARCHAR NOT NULL, page VARCHAR NOT NULL, written_at TIMESTAMPTZ NOT NULL,
    due_at TIMESTAMPTZ NOT NULL, back_at TIMESTAMPTZ, how VARCHAR NOT NULL
);
