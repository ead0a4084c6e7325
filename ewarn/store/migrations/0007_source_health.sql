-- How sources stand: what was learnt from asking a feed, what its answers looked like, what the operator was told.
CREATE TABLE feed_state (           -- one row per feed, as it stands now
    source VARCHAR NOT NULL,
    url VARCHAR NOT NULL,           -- the definition's address all of it was learnt at
    refusals BIGINT NOT NULL,       -- how often in a row the publisher asked us to wait
    not_before TIMESTAMPTZ,         -- it is not asked again before this
    moved_to VARCHAR NOT NULL,      -- where it said it has moved for good; empty: nowhere
    moved_at TIMESTAMPTZ
);

CREATE TABLE feed_shape (           -- one row per answer with new bytes: how many entries, and what they carried
    source VARCHAR NOT NULL, received_at TIMESTAMPTZ NOT NULL, format VARCHAR NOT NULL, entries BIGINT NOT NULL,
    ids BIGINT NOT NULL, dates BIGINT NOT NULL, links BIGINT NOT NULL, titles BIGINT NOT NULL, texts BIGINT NOT NULL
);

ALTER TABLE operator_notice ADD COLUMN topic VARCHAR;       -- one notice a topic stands open; empty: one a text
ALTER TABLE operator_notice ADD COLUMN tell BOOLEAN;        -- it is sent; otherwise it is only shown
ALTER TABLE operator_notice ADD COLUMN told_at TIMESTAMPTZ; -- when the message that holds it was written
