-- Personal tokens by which a partner's system reads the desk's views as its holder.
CREATE TABLE api_token (           -- one row per token; ended, never removed
    id VARCHAR NOT NULL,           -- names it on the account page and in the audit chain; proves nothing
    mark VARCHAR NOT NULL,         -- SHA-256 of the token; the token itself is with its holder alone
    person VARCHAR NOT NULL,
    name VARCHAR NOT NULL,         -- what it is for, in its holder's words
    made_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ,           -- last used; null: never
    ended_at TIMESTAMPTZ
);
