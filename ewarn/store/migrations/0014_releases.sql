-- What an originator allowed of what came from them, for one case or one of its texts. Append-only: the newest counts.
CREATE TABLE release (
    seq BIGINT NOT NULL, released_at TIMESTAMPTZ NOT NULL, case_ref VARCHAR NOT NULL,
    alert VARCHAR NOT NULL,         -- '': every text of the case
    source VARCHAR NOT NULL, marking VARCHAR NOT NULL, classification VARCHAR NOT NULL,
    conditions VARCHAR,             -- null: the source's own stay
    reason VARCHAR NOT NULL, originator VARCHAR NOT NULL, person VARCHAR NOT NULL
);

-- A finding of the text checker that a named person let pass for one exact text. Append-only.
CREATE TABLE finding_override (
    overridden_at TIMESTAMPTZ NOT NULL, alert VARCHAR NOT NULL, version BIGINT NOT NULL, hash VARCHAR NOT NULL,
    finding VARCHAR NOT NULL, code VARCHAR NOT NULL, place VARCHAR NOT NULL, what VARCHAR NOT NULL,
    reason VARCHAR NOT NULL, person VARCHAR NOT NULL
);

-- That records under a version people have changed, and its panel was asked to update or withdraw it. Append-only.
CREATE TABLE correction (
    id VARCHAR NOT NULL, asked_at TIMESTAMPTZ NOT NULL, alert VARCHAR NOT NULL, version BIGINT NOT NULL,
    records VARCHAR NOT NULL, what VARCHAR NOT NULL, due_at TIMESTAMPTZ NOT NULL
);
