-- A line that a segment's table held word for word need not be read again. Two tables of one shape say the same by the
-- same line; null: the segment holds no marks of its lines.
ALTER TABLE segment ADD COLUMN shape VARCHAR;
