-- The licence of a paper's figures, as the user gave it (an SPDX name). What a first page prints is read when asked.
CREATE TABLE paper_licences (
    paper_id TEXT PRIMARY KEY,
    licence  TEXT NOT NULL
);
