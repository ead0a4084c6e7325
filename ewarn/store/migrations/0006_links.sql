-- Two records that may tell of the same persons: found by a rule, confirmed or rejected by a person. One row per version;
-- never updated, never deleted.
CREATE TABLE person_link (
    id VARCHAR NOT NULL, version BIGINT NOT NULL,
    left_record VARCHAR NOT NULL, right_record VARCHAR NOT NULL,   -- left below right
    kind VARCHAR NOT NULL,          -- duplicate | contained | overlap
    state VARCHAR NOT NULL,         -- probable | lapsed | confirmed | rejected
    rule VARCHAR NOT NULL, reason VARCHAR NOT NULL,
    who VARCHAR NOT NULL,           -- ewarn, or the person who judged
    why VARCHAR NOT NULL,           -- that person's reason
    linked_at TIMESTAMPTZ NOT NULL
);
