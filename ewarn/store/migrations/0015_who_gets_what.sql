-- What a delivery is, which of a recipient's contacts it uses, and which files go along.
ALTER TABLE delivery ADD COLUMN product VARCHAR DEFAULT '';
ALTER TABLE delivery ADD COLUMN contact VARCHAR DEFAULT '';
ALTER TABLE delivery ADD COLUMN attachments VARCHAR DEFAULT '';  -- formats, set apart by spaces

-- When and by whom each version of a recipient was written; null: before that was kept.
ALTER TABLE recipient ADD COLUMN saved_at TIMESTAMPTZ;
ALTER TABLE recipient ADD COLUMN saved_by VARCHAR;

-- Rows of an imported list of recipients that could not be used. They hold contact details: they stay in here.
CREATE TABLE recipient_reject (
    import VARCHAR NOT NULL, rejected_at TIMESTAMPTZ NOT NULL, who VARCHAR NOT NULL, line BIGINT NOT NULL,
    recipient VARCHAR NOT NULL, faults VARCHAR NOT NULL, row_text VARCHAR NOT NULL
);

-- Exercises begun in a live home: the scenario, its case, and when its bytes were received and its signal stood.
CREATE TABLE exercise (
    case_ref VARCHAR NOT NULL, scenario VARCHAR NOT NULL, folder VARCHAR NOT NULL, started_by VARCHAR NOT NULL,
    bytes_at TIMESTAMPTZ NOT NULL, signal_at TIMESTAMPTZ NOT NULL
);

-- Scorecards as they were drawn up: of an exercise's case, or of a contact test.
CREATE TABLE scorecard (subject VARCHAR NOT NULL, made_at TIMESTAMPTZ NOT NULL, body VARCHAR NOT NULL);
