-- Two organisations may count the same thing in the same area on the same day.
ALTER TABLE count_row ADD COLUMN organisation VARCHAR;
