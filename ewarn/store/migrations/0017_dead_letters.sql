-- What a person did about a message that was given up: sent once more, or let go. Never changed, never removed.
CREATE TABLE dead_letter_act (
    delivery VARCHAR NOT NULL, act VARCHAR NOT NULL, person VARCHAR NOT NULL, acted_at TIMESTAMPTZ NOT NULL,
    reason VARCHAR NOT NULL, error VARCHAR NOT NULL
);
