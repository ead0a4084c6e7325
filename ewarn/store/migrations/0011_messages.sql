-- The id that a message carried, so that a later version can join its thread. Null: sent before ids were kept.
ALTER TABLE delivery ADD COLUMN message_id VARCHAR;
