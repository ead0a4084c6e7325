-- Large files: their plain rows lie in Parquet files under lines/, named by the receipt that brought them, and stand
-- beside the tables as one from the moment a row here names them. The raw text of a row is read from its snapshot.
CREATE TABLE segment (
    receipt VARCHAR NOT NULL, source VARCHAR NOT NULL, kind VARCHAR NOT NULL, snapshot VARCHAR NOT NULL,
    definition_hash VARCHAR NOT NULL, received_at TIMESTAMPTZ NOT NULL, backfill BOOLEAN NOT NULL,
    member VARCHAR NOT NULL,       -- the table inside an archive, empty for a file that is one table
    parts BIGINT NOT NULL, records BIGINT NOT NULL,
    sets VARCHAR NOT NULL,         -- JSON: detection and place -> how many files of child rows there are
    hashes VARCHAR NOT NULL        -- JSON: file name -> SHA-256
);

ALTER TABLE record DROP COLUMN raw;
ALTER TABLE record DROP COLUMN reading;

ALTER TABLE receipt ADD COLUMN rows_in BIGINT;
ALTER TABLE receipt ADD COLUMN unchanged_records BIGINT;
ALTER TABLE receipt ADD COLUMN rejects BIGINT;
