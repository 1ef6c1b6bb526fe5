-- What people answered in projects that ask for no labels: boxes of panels, and what is a micrograph. What follows from
-- an answer is a correction or a decision by hand, as the command line makes it; here stands that it was made, so that
-- no pull makes it twice, and nothing that was taken back since comes again.
CREATE TABLE task_answers (
    server        TEXT NOT NULL,
    project       BIGINT NOT NULL,
    mark          TEXT NOT NULL,               -- of the project's page
    annotation_id BIGINT NOT NULL,
    role          TEXT NOT NULL,               -- what the project asks for
    subject       TEXT NOT NULL,               -- what the task shows: a figure_id, the SHA-256 of an image
    annotator     TEXT NOT NULL,
    said          JSON,                        -- what it means; NULL for a skipped task or one that cannot be read
    updated_at    TIMESTAMP NOT NULL,          -- by the server's clock, UTC
    deleted       BOOLEAN NOT NULL,            -- it is no longer on the server; what followed from it stays
    raw           TEXT NOT NULL,               -- JSON as the server gave it
    applied       JSON,                        -- what was said when it was last made so; NULL: not yet
    made_as       BIGINT,                      -- when that was: rises by one with each figure or image
    PRIMARY KEY (server, project, mark, annotation_id)
);
