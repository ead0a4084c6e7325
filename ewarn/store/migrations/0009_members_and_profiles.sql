-- One file can hold several tables (a .zip, a workbook): each is read, landed and received under its own name.
ALTER TABLE receipt ADD COLUMN member VARCHAR;

-- How the columns of each landed table looked, so that the next one of its source can be held against it.
CREATE TABLE file_profile (
    source VARCHAR NOT NULL, receipt VARCHAR NOT NULL, received_at TIMESTAMPTZ NOT NULL, member VARCHAR NOT NULL,
    profile VARCHAR NOT NULL       -- JSON; headers, counts and shapes of cells, never a cell
);
