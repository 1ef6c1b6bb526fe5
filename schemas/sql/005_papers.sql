-- What is known of a paper beside its file: its place in the literature, and the paper that it supplements.

ALTER TABLE papers ADD COLUMN authors TEXT;            -- as printed, separated by '; '
ALTER TABLE papers ADD COLUMN volume TEXT;
ALTER TABLE papers ADD COLUMN first_page TEXT;         -- of the paper in its journal, as printed
ALTER TABLE papers ADD COLUMN supplement_of TEXT;      -- paper_id of the paper that this file supplements

-- What a bibliographic service answered. It stands beside what the file says and never overwrites it.
CREATE TABLE paper_resolutions (
    paper_id   TEXT PRIMARY KEY,
    source     TEXT NOT NULL,                  -- 'crossref'
    method     TEXT NOT NULL,                  -- 'doi' or 'title'
    score      DOUBLE NOT NULL,                -- 0 to 1: how well the titles agree
    doi        TEXT NOT NULL,
    title      TEXT,
    journal    TEXT,
    year       INTEGER,
    volume     TEXT,
    pages      TEXT,
    authors    TEXT,
    reference  TEXT NOT NULL                   -- all of it as one text
);

-- The best that is known of each paper: what its file says, completed by what the service answered.
CREATE VIEW known_papers AS
SELECT p.paper_id, p.source, p.file_name, coalesce(p.doi, r.doi) AS doi, coalesce(p.title, r.title) AS title,
       coalesce(p.journal, r.journal) AS journal, coalesce(p.year, r.year) AS year,
       coalesce(p.volume, r.volume) AS volume, coalesce(r.pages, p.first_page) AS pages,
       coalesce(p.authors, r.authors) AS authors, concat_ws(' ', p.citation, r.reference) AS citation,
       p.first_page_text, r.source AS resolved_by, r.score AS resolved_score
FROM papers p LEFT JOIN paper_resolutions r USING (paper_id);
