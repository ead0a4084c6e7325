-- The rules' newest whole answer, so that whoever only looks need not ask again. One row; made anew from the records.
CREATE TABLE standing (
    as_of TIMESTAMPTZ NOT NULL, content_hash VARCHAR NOT NULL,
    said VARCHAR NOT NULL,         -- hash of the answer without its time
    body VARCHAR NOT NULL          -- the answer: signals, and what had none
);
