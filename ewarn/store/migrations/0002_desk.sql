-- What people and rules made of the records: signals, cases, people, alerts, decisions, the outbox. These cannot be
-- replayed from the snapshots; `ewarn backup` carries them.

CREATE TABLE evaluation (
    id VARCHAR NOT NULL, evaluated_at TIMESTAMPTZ NOT NULL, as_of TIMESTAMPTZ NOT NULL, content_hash VARCHAR NOT NULL,
    kind VARCHAR NOT NULL
);

CREATE TABLE signal (               -- one row per version of a signal
    id VARCHAR NOT NULL, version BIGINT NOT NULL, saved_at TIMESTAMPTZ NOT NULL, evaluation VARCHAR NOT NULL,
    change VARCHAR NOT NULL,        -- new | grown | revised
    rule VARCHAR NOT NULL, family VARCHAR NOT NULL, subject_kind VARCHAR NOT NULL, subject VARCHAR NOT NULL,
    area VARCHAR NOT NULL, tier VARCHAR NOT NULL, known_on DATE NOT NULL, first_raised_on DATE NOT NULL,
    standing VARCHAR NOT NULL, observed DOUBLE, record_count BIGINT NOT NULL, records VARCHAR[] NOT NULL,
    body VARCHAR NOT NULL
);

CREATE TABLE serial (scope VARCHAR NOT NULL, last BIGINT NOT NULL);

CREATE TABLE case_file (            -- one row per version of a case
    ref VARCHAR NOT NULL, version BIGINT NOT NULL, saved_at TIMESTAMPTZ NOT NULL, status VARCHAR NOT NULL,
    lead_area VARCHAR NOT NULL, standing VARCHAR NOT NULL, due_at TIMESTAMPTZ NOT NULL, body VARCHAR NOT NULL
);

CREATE TABLE case_act (
    ref VARCHAR NOT NULL, acted_at TIMESTAMPTZ NOT NULL, act VARCHAR NOT NULL, who VARCHAR NOT NULL, why VARCHAR NOT NULL,
    signal VARCHAR NOT NULL
);

CREATE TABLE person (
    id VARCHAR NOT NULL, version BIGINT NOT NULL, active BOOLEAN NOT NULL, body VARCHAR NOT NULL,
    secret_hash VARCHAR NOT NULL
);

CREATE TABLE recipient (
    id VARCHAR NOT NULL, version BIGINT NOT NULL, removed BOOLEAN NOT NULL, body VARCHAR NOT NULL
);

CREATE TABLE alert (
    id VARCHAR NOT NULL, version BIGINT NOT NULL, case_ref VARCHAR NOT NULL, status VARCHAR NOT NULL,
    hash VARCHAR NOT NULL, created_at TIMESTAMPTZ NOT NULL, body VARCHAR NOT NULL
);

CREATE TABLE payload (
    alert VARCHAR NOT NULL, version BIGINT NOT NULL, ordinal BIGINT NOT NULL, audience VARCHAR NOT NULL,
    format VARCHAR NOT NULL, subject VARCHAR NOT NULL, body BLOB NOT NULL
);

CREATE TABLE decision (
    seq BIGINT NOT NULL, act VARCHAR NOT NULL, person VARCHAR NOT NULL, decided_at TIMESTAMPTZ NOT NULL,
    case_ref VARCHAR NOT NULL, alert VARCHAR NOT NULL, version BIGINT, hash VARCHAR NOT NULL, note VARCHAR NOT NULL
);

CREATE TABLE delivery (
    id VARCHAR NOT NULL, identity VARCHAR NOT NULL, alert VARCHAR NOT NULL, version BIGINT, page VARCHAR NOT NULL,
    destination VARCHAR NOT NULL, channel VARCHAR NOT NULL, audience VARCHAR NOT NULL, format VARCHAR NOT NULL,
    state VARCHAR NOT NULL, attempts BIGINT NOT NULL, next_attempt_at TIMESTAMPTZ, last_error VARCHAR NOT NULL,
    standing VARCHAR NOT NULL, why VARCHAR NOT NULL, claimed_at TIMESTAMPTZ, possible_repeat BOOLEAN NOT NULL
);

CREATE TABLE delivery_receipt (     -- one row per attempt
    delivery VARCHAR NOT NULL, attempted_at TIMESTAMPTZ NOT NULL, attempt BIGINT NOT NULL, state VARCHAR NOT NULL,
    error VARCHAR NOT NULL, possible_repeat BOOLEAN NOT NULL
);

CREATE TABLE acknowledgement (
    delivery VARCHAR NOT NULL, person VARCHAR NOT NULL, acknowledged_at TIMESTAMPTZ NOT NULL, text VARCHAR NOT NULL
);

CREATE TABLE page (
    id VARCHAR NOT NULL, case_ref VARCHAR NOT NULL, paged_at TIMESTAMPTZ NOT NULL, subject VARCHAR NOT NULL,
    text VARCHAR NOT NULL, standing VARCHAR NOT NULL, rota_order BIGINT NOT NULL, acknowledged_by VARCHAR NOT NULL,
    acknowledged_at TIMESTAMPTZ
);

CREATE TABLE operator_notice (
    id VARCHAR NOT NULL, noticed_at TIMESTAMPTZ NOT NULL, source VARCHAR NOT NULL, text VARCHAR NOT NULL,
    closed_at TIMESTAMPTZ
);
