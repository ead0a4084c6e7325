-- Who is signed in at the desk and how they prove it, roles given for a while, and what people said of signals.
CREATE TABLE desk_session (        -- one row per session; ended, never removed
    mark VARCHAR NOT NULL,         -- SHA-256 of the token; the token itself is with the browser alone
    person VARCHAR NOT NULL,
    how VARCHAR NOT NULL,          -- code | recovery code | proxy | openid
    began_at TIMESTAMPTZ NOT NULL,
    code_at TIMESTAMPTZ,           -- the newest one-time code given in it; null: none yet
    seen_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    ended_why VARCHAR NOT NULL
);

CREATE TABLE one_time_code (       -- one row per enrolment; the newest without ended_at holds
    person VARCHAR NOT NULL, version BIGINT NOT NULL,
    sealed VARCHAR NOT NULL,       -- the shared secret, encrypted under a key that is not in this database
    enrolled_at TIMESTAMPTZ NOT NULL,
    last_step BIGINT NOT NULL,     -- the newest time step whose code was taken; none at or before it is taken again
    ended_at TIMESTAMPTZ
);

CREATE TABLE recovery_code (
    person VARCHAR NOT NULL, version BIGINT NOT NULL, mark VARCHAR NOT NULL, used_at TIMESTAMPTZ
);

CREATE TABLE role_grant (          -- break-glass: a role for some hours, taken with a reason
    id VARCHAR NOT NULL, person VARCHAR NOT NULL, role VARCHAR NOT NULL, reason VARCHAR NOT NULL,
    given_at TIMESTAMPTZ NOT NULL, ends_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE judgement (           -- what a person said of a signal; never changed, the newest holds
    seq BIGINT NOT NULL, signal VARCHAR NOT NULL,
    act VARCHAR NOT NULL,          -- dismissed | held | taken up
    person VARCHAR NOT NULL, judged_at TIMESTAMPTZ NOT NULL, why VARCHAR NOT NULL,
    until TIMESTAMPTZ,             -- a hold ends here at the latest
    records VARCHAR[] NOT NULL,    -- the evidence as it was: more than this raises the signal again
    observed DOUBLE, persons_max BIGINT
);

CREATE TABLE last_look (           -- when each person last said that they had looked at Today
    person VARCHAR NOT NULL, looked_at TIMESTAMPTZ NOT NULL
);
