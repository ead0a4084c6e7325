-- Photographs for texts, by the hash of their bytes. What is purged keeps its line and hash; `body` is emptied.
CREATE TABLE photo (
    sha256 VARCHAR NOT NULL, kept_at TIMESTAMPTZ NOT NULL, person VARCHAR NOT NULL, alert VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,        -- 'file', or the reference of the partner's report that it came with
    size BIGINT NOT NULL, body BLOB NOT NULL
);
-- What was purged, when, by whom and under which rule. Append-only.
CREATE TABLE photo_purge (
    sha256 VARCHAR NOT NULL, purged_at TIMESTAMPTZ NOT NULL, person VARCHAR NOT NULL, rule VARCHAR NOT NULL,
    reason VARCHAR NOT NULL
);
-- The hash of stored bytes that were purged: with it the hash that people approved can still be worked out.
ALTER TABLE payload ADD COLUMN gone VARCHAR DEFAULT '';
