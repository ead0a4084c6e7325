-- Who issued a notice, what it says was sold as what, and the words behind everything read from it.
ALTER TABLE notice ADD COLUMN publisher VARCHAR;
ALTER TABLE notice ADD COLUMN sold_as VARCHAR;
ALTER TABLE notice ADD COLUMN evidence VARCHAR;
