-- What was purged of the raw bytes: one row per source that let go of a snapshot. Append-only, and kept for good.
CREATE TABLE tombstone (
    id VARCHAR NOT NULL,           -- of its line in raw/receipts.jsonl, which is written first
    sha256 VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    size BIGINT NOT NULL,
    purged_at TIMESTAMPTZ NOT NULL,
    purged_by VARCHAR NOT NULL,    -- a registered person, or ewarn while nobody is registered
    rule VARCHAR NOT NULL,         -- retention of so many days | a date set by a person | erasure
    reason VARCHAR NOT NULL        -- in that person's words; a reference, never a name
);
