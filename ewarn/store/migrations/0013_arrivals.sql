-- What the other side calls a message it took (to ask what became of it, or to answer under it), and what it said of it.
CREATE TABLE arrival (
    delivery VARCHAR NOT NULL,
    remote VARCHAR NOT NULL,
    taken_at TIMESTAMPTZ NOT NULL,
    status VARCHAR NOT NULL,       -- the other side's own word; empty until it has said one
    final BOOLEAN NOT NULL,
    checked_at TIMESTAMPTZ
);
