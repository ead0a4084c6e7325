-- Keys that alerts are signed with: the public half and a reference to the secret, every version of each.
CREATE TABLE signing_key (
    id VARCHAR NOT NULL, version INTEGER NOT NULL, body VARCHAR NOT NULL,
    PRIMARY KEY (id, version)
);
-- A signature is made once: every recipient, every attempt and every published copy carries the same bytes.
CREATE TABLE signed_payload (
    alert VARCHAR NOT NULL, version INTEGER NOT NULL, audience VARCHAR NOT NULL, signing_key VARCHAR NOT NULL,
    signed_at TIMESTAMPTZ NOT NULL, approved VARCHAR NOT NULL, body BLOB NOT NULL
);
