-- Reports of partners: one row per version of a report. Free words, contacts and photographs lie encrypted in files.
CREATE TABLE partner_report (
    ref VARCHAR NOT NULL, version BIGINT NOT NULL, saved_at TIMESTAMPTZ NOT NULL, state VARCHAR NOT NULL,
    case_ref VARCHAR NOT NULL, answer_by TIMESTAMPTZ NOT NULL, answered_at TIMESTAMPTZ, contact_until DATE,
    body VARCHAR NOT NULL
);
