-- The catalogue: every row can be followed back to a PDF page and box, and forward to a split and a run.
-- Boxes are in PDF points, origin top left, pages from 1. Migrations are append-only: never edit this file
-- once it has been released, add the next number instead.

CREATE TABLE papers (
    paper_id        TEXT PRIMARY KEY,
    sha256          TEXT,                      -- of the PDF; NULL for a paper known by its images only
    source          TEXT NOT NULL,             -- 'pdf' or the name of an imported data set
    file_name       TEXT NOT NULL,
    path            TEXT,                      -- where the PDF lay when it was read
    title           TEXT,
    doi             TEXT,
    journal         TEXT,
    year            INTEGER,
    citation        TEXT,                      -- the reference as a text, where one is known
    first_page_text TEXT,
    pages           INTEGER,
    status          TEXT NOT NULL,             -- 'done' or 'imported'
    extractor       TEXT NOT NULL              -- version of the method that read it
);

-- Files that could not be read. A file leaves this table when it is read at last.
CREATE TABLE failures (
    path    TEXT PRIMARY KEY,
    sha256  TEXT,
    reason  TEXT NOT NULL,
    detail  TEXT NOT NULL
);

CREATE TABLE figures (
    figure_id   TEXT PRIMARY KEY,
    paper_id    TEXT NOT NULL,
    page        INTEGER,                       -- NULL where an imported key names none
    x0 DOUBLE, y0 DOUBLE, x1 DOUBLE, y1 DOUBLE,
    label       TEXT,
    caption     TEXT,
    kind        TEXT,
    method      TEXT NOT NULL,
    confidence  DOUBLE NOT NULL,
    dpi         INTEGER
);

CREATE TABLE images (
    sha256      TEXT PRIMARY KEY,              -- of the stored bytes
    phash       TEXT NOT NULL,                 -- 64-bit perceptual hash, 16 hex digits
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    format      TEXT NOT NULL,                 -- by content, whatever the file was called
    mode        TEXT NOT NULL,
    alpha_only  BOOLEAN NOT NULL,
    size_bytes  BIGINT NOT NULL
);

CREATE TABLE panels (
    panel_id     TEXT PRIMARY KEY,
    figure_id    TEXT NOT NULL,
    position     INTEGER NOT NULL,             -- reading order within the figure, from 0
    x0 DOUBLE, y0 DOUBLE, x1 DOUBLE, y1 DOUBLE,
    label        TEXT,
    caption      TEXT,                         -- the words that speak of this panel alone
    caption_stem TEXT,                         -- the words that all panels share
    kind         TEXT,
    composition  JSON,                         -- {components, ratio, unit, text} read from the caption
    image_sha256 TEXT NOT NULL,
    file_name    TEXT                          -- of an imported image, as its authors called it
);

CREATE TABLE leftovers (
    leftover_id TEXT PRIMARY KEY,
    paper_id    TEXT NOT NULL,
    what        TEXT NOT NULL,                 -- 'caption-without-figure' or 'figure-without-caption'
    page        INTEGER NOT NULL,
    label       TEXT,
    text        TEXT,
    x0 DOUBLE, y0 DOUBLE, x1 DOUBLE, y1 DOUBLE
);

CREATE TABLE scale_bars (
    panel_id   TEXT NOT NULL,
    method     TEXT NOT NULL,
    value      DOUBLE NOT NULL,
    unit       TEXT NOT NULL,
    value_um   DOUBLE NOT NULL,
    length_px  DOUBLE,
    confidence DOUBLE NOT NULL,
    PRIMARY KEY (panel_id, method)
);

-- The automatic screening. What people decided stands in annotations and is never mixed in here.
CREATE TABLE screenings (
    image_sha256 TEXT NOT NULL,
    rule         TEXT NOT NULL,
    version      INTEGER NOT NULL,
    score        DOUBLE NOT NULL,              -- 0 (surely no micrograph) to 1 (surely one)
    decision     TEXT NOT NULL,                -- 'accepted' or 'rejected'
    reason       TEXT NOT NULL,
    PRIMARY KEY (image_sha256, rule, version)
);

-- What the newest version of the automatic screening says of an image.
CREATE VIEW screened AS
SELECT * FROM screenings
QUALIFY row_number() OVER (PARTITION BY image_sha256 ORDER BY version DESC, rule) = 1;

CREATE TABLE records (
    record_id              TEXT PRIMARY KEY,   -- from the source's name and the record's own key or content
    source                 TEXT NOT NULL,      -- file it came from
    record_key             TEXT,
    sample_id              TEXT,
    reference_no           TEXT,
    doi                    TEXT,
    reference              TEXT,
    authors                TEXT,
    journal                TEXT,
    volume                 TEXT,
    issue                  TEXT,
    pages                  TEXT,
    year                   INTEGER,
    page                   INTEGER,            -- of the figure in the paper
    figure                 TEXT,
    panel                  TEXT,
    caption                TEXT,
    polymers               TEXT,
    composition_ratio      TEXT,
    blending_method        TEXT,
    characteristics        TEXT,
    morphology             TEXT,
    literature_description TEXT,
    scale_um               DOUBLE,
    compatibility          TEXT,               -- the record's own word, as it stands
    raw                    JSON NOT NULL       -- the row as it was read
);

CREATE TABLE links (
    panel_id  TEXT NOT NULL,
    record_id TEXT NOT NULL,
    method    TEXT NOT NULL,
    score     DOUBLE NOT NULL,                 -- 0 to 1
    PRIMARY KEY (panel_id, record_id)
);

-- Records whose paper is known but whose panel could not be decided.
CREATE TABLE paper_links (
    paper_id  TEXT NOT NULL,
    record_id TEXT NOT NULL,
    method    TEXT NOT NULL,
    score     DOUBLE NOT NULL,
    PRIMARY KEY (paper_id, record_id)
);

CREATE TABLE annotations (
    server        TEXT NOT NULL,
    project       BIGINT NOT NULL,
    annotation_id BIGINT NOT NULL,
    task          BIGINT NOT NULL,
    image_sha256  TEXT NOT NULL,
    annotator     TEXT NOT NULL,
    choice        TEXT,                        -- NULL for a skipped task
    comment       TEXT,
    cancelled     BOOLEAN NOT NULL,
    deleted       BOOLEAN NOT NULL DEFAULT false,  -- it vanished from the server
    updated_at    TIMESTAMP NOT NULL,
    raw           JSON NOT NULL,
    PRIMARY KEY (server, project, annotation_id)
);

-- Where labels may come from, by rank (1 wins). Written from the task file each time it changes.
-- A source with a vocabulary cannot say every label: where another source says a word that it lacks,
-- its own answer is too coarse to count against it. Only sources that refine can overrule a coarse one so.
CREATE TABLE label_sources (
    source     TEXT PRIMARY KEY,
    rank       INTEGER NOT NULL,
    vocabulary TEXT[],
    refines    BOOLEAN NOT NULL
);
CREATE TABLE label_words (
    label    TEXT PRIMARY KEY,
    position INTEGER NOT NULL
);

-- What a source other than a reviewer says of a panel's image.
CREATE TABLE label_votes (
    panel_id  TEXT NOT NULL,
    source    TEXT NOT NULL,
    record_id TEXT NOT NULL DEFAULT '',
    label     TEXT NOT NULL,
    evidence  TEXT NOT NULL,
    PRIMARY KEY (panel_id, source, record_id)
);

CREATE TABLE splits (
    name        TEXT PRIMARY KEY,
    digest      TEXT NOT NULL,
    manifest    JSON NOT NULL,
    created_at  TIMESTAMP NOT NULL
);
CREATE TABLE split_images (
    split        TEXT NOT NULL,
    fold         INTEGER NOT NULL,
    side         TEXT NOT NULL,                -- 'train' or 'test'
    image_sha256 TEXT NOT NULL,
    label        TEXT NOT NULL,
    group_id     TEXT NOT NULL,
    PRIMARY KEY (split, fold, image_sha256)
);

CREATE TABLE runs (
    name       TEXT PRIMARY KEY,
    split      TEXT NOT NULL,
    digest     TEXT NOT NULL,                  -- of the split it was trained on
    manifest   JSON NOT NULL
);

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- What each reviewer said last of an image, in whatever project. Answers by nobody who is known ('unknown') are
-- each their own; a user without a name is known on one server only.
CREATE VIEW answers AS
SELECT * FROM annotations
WHERE NOT cancelled AND NOT deleted AND choice IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY image_sha256, annotator,
                 CASE WHEN annotator = 'unknown' THEN concat_ws(' ', project, annotation_id, server)
                      WHEN annotator SIMILAR TO 'user \d+' THEN server END
    ORDER BY updated_at DESC, server, project, annotation_id DESC
) = 1;

-- One answer of the reviewers an image: the choice of most of them. Where they tie it is NULL.
CREATE VIEW reviews AS
WITH counted AS (
    SELECT image_sha256, choice, count(*) AS votes FROM answers GROUP BY image_sha256, choice
), best AS (
    SELECT image_sha256, max(votes) AS top, sum(votes) AS votes, list(choice ORDER BY choice) AS said
    FROM counted GROUP BY image_sha256
)
SELECT best.image_sha256,
       CASE WHEN count(*) = 1 THEN min(counted.choice) END AS choice,
       best.votes::INTEGER AS votes,
       best.top < best.votes AS disputed,
       best.said
FROM best JOIN counted ON counted.image_sha256 = best.image_sha256 AND counted.votes = best.top
GROUP BY best.image_sha256, best.votes, best.top, best.said;

-- Everything that was said about an image's label. The same word from the same source counts once; of reviewers
-- the answer of most counts, or all their answers where they tie.
CREATE VIEW label_candidates AS
SELECT DISTINCT panels.image_sha256, label_votes.source, label_votes.label
FROM label_votes JOIN panels USING (panel_id)
UNION ALL
SELECT image_sha256, 'review', word
FROM (SELECT image_sha256, unnest(CASE WHEN choice IS NULL THEN said ELSE [choice] END) AS word FROM reviews)
WHERE word IN (SELECT label FROM label_words);

-- The resolved label of an image: the best-ranked source that speaks with one word and is not too coarse.
-- Where reviewers tie there is no label, whatever other sources say.
CREATE VIEW labels AS
WITH spoken AS (
    SELECT c.image_sha256, c.source, s.rank, s.vocabulary, s.refines,
           min(c.label) AS label, count(DISTINCT c.label) AS words
    FROM label_candidates c JOIN label_sources s USING (source)
    GROUP BY c.image_sha256, c.source, s.rank, s.vocabulary, s.refines
), everything AS (
    SELECT image_sha256, list(DISTINCT label ORDER BY label) AS said,
           list(DISTINCT source || '=' || label ORDER BY source || '=' || label) AS sources
    FROM label_candidates GROUP BY image_sha256
), finer AS (
    SELECT image_sha256, list(label) FILTER (WHERE refines AND words = 1) AS finer FROM spoken GROUP BY image_sha256
), usable AS (
    SELECT spoken.*, everything.said, everything.sources, reviews.image_sha256 IS NOT NULL AS tied,
           vocabulary IS NOT NULL AND len(list_filter(finer, lambda w: NOT list_contains(vocabulary, w))) > 0 AS coarse
    FROM spoken JOIN everything USING (image_sha256) JOIN finer USING (image_sha256)
    LEFT JOIN reviews ON reviews.image_sha256 = spoken.image_sha256 AND reviews.choice IS NULL
)
SELECT image_sha256,
       arg_min(label, rank) FILTER (WHERE words = 1 AND NOT coalesce(coarse, false) AND NOT tied) AS label,
       CASE WHEN bool_or(tied) THEN 'review'
            ELSE arg_min(source, rank) FILTER (WHERE words = 1 AND NOT coalesce(coarse, false)) END AS source,
       any_value(len(said)) > 1 OR bool_or(tied) AS conflict,
       any_value(sources) AS sources
FROM usable GROUP BY image_sha256;
