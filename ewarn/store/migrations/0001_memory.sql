-- What was received and what was made of it. One row per record version; nothing here is ever updated or deleted,
-- except a reject's state.

CREATE TABLE audit (
    seq BIGINT NOT NULL,
    written_at TIMESTAMPTZ NOT NULL,
    actor VARCHAR NOT NULL,
    act VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    details VARCHAR NOT NULL,      -- SHA-256 of what was stored; never the content itself
    previous VARCHAR NOT NULL,
    link VARCHAR NOT NULL
);

CREATE TABLE receipt (
    id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,         -- receipt | replay | not modified | failed
    source VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,       -- empty where no bytes came
    size BIGINT NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    backfill BOOLEAN NOT NULL,
    definition_hash VARCHAR NOT NULL,
    content_hash VARCHAR NOT NULL,
    file VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    new_records BIGINT NOT NULL,
    changed_records BIGINT NOT NULL,
    landed BOOLEAN NOT NULL
);

CREATE TABLE record (
    record_id VARCHAR NOT NULL,
    version BIGINT NOT NULL,
    source VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    occurrence BIGINT NOT NULL,
    content VARCHAR NOT NULL,      -- hash of the mapped values and of the retraction mark
    reading VARCHAR NOT NULL,      -- hash of the mentions and places read from them
    reference_date DATE,
    reference_at TIMESTAMPTZ,
    known_date DATE,
    published_at TIMESTAMPTZ,
    basis VARCHAR,
    retracted BOOLEAN NOT NULL,
    visible_at TIMESTAMPTZ NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    snapshot VARCHAR NOT NULL,
    receipt VARCHAR NOT NULL,
    definition_hash VARCHAR NOT NULL,
    backfill BOOLEAN NOT NULL,
    position VARCHAR,
    raw VARCHAR
);

CREATE TABLE sample (
    record_id VARCHAR NOT NULL, version BIGINT NOT NULL,
    organisation VARCHAR, stream VARCHAR, sold_as VARCHAR, sold_as_subject VARCHAR,
    form VARCHAR, colour VARCHAR, label VARCHAR
);

CREATE TABLE incident (
    record_id VARCHAR NOT NULL, version BIGINT NOT NULL,
    organisation VARCHAR, stream VARCHAR, outcome VARCHAR, persons BIGINT, cumulative BOOLEAN, setting VARCHAR,
    place_label VARCHAR, reference_end DATE
);

CREATE TABLE count_row (
    record_id VARCHAR NOT NULL, version BIGINT NOT NULL,
    indicator VARCHAR, period_days BIGINT, value_text VARCHAR, value DOUBLE, suppressed BOOLEAN, denominator DOUBLE
);

CREATE TABLE notice (
    record_id VARCHAR NOT NULL, version BIGINT NOT NULL,
    entry_id VARCHAR, title VARCHAR, summary VARCHAR, link VARCHAR, notice_kind VARCHAR
);

CREATE TABLE detection (
    record_id VARCHAR NOT NULL, version BIGINT NOT NULL,
    ordinal BIGINT, role VARCHAR, mention_kind VARCHAR, subject VARCHAR, class_id VARCHAR, as_written VARCHAR,
    matched VARCHAR, method VARCHAR, presumptive BOOLEAN, concentration DOUBLE, unit VARCHAR
);

CREATE TABLE place (
    record_id VARCHAR NOT NULL, version BIGINT NOT NULL,
    area VARCHAR, tier VARCHAR, share DOUBLE, certain BOOLEAN, precision VARCHAR, as_written VARCHAR
);

CREATE TABLE reject (
    snapshot VARCHAR NOT NULL,
    position VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    receipt VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    raw VARCHAR,
    rejected_at TIMESTAMPTZ NOT NULL,
    state VARCHAR NOT NULL         -- open | replayed
);
