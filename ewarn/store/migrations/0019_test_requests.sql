-- What laboratories were asked to analyse for a case: one row per version of a request.
CREATE TABLE test_request (
    id VARCHAR NOT NULL, version BIGINT NOT NULL, saved_at TIMESTAMPTZ NOT NULL, case_ref VARCHAR NOT NULL,
    status VARCHAR NOT NULL, due_at TIMESTAMPTZ NOT NULL, body VARCHAR NOT NULL
);
