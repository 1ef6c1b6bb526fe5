-- What keeps a step as quick in a large catalogue as in a small one.

-- The panels of an image and of a paper are found without looking at all others.
CREATE INDEX panels_of_image ON panels (image_sha256);
CREATE INDEX panels_of_figure ON panels (figure_id);
CREATE INDEX figures_of_paper ON figures (paper_id);

-- What each PDF says of which paper it supplements, read from it once: which papers are supplements follows from these
-- alone. Rows of papers that were read anew are taken out, and read again when that is asked for next.
CREATE TABLE supplement_clues (
    paper_id TEXT PRIMARY KEY,
    version  INTEGER NOT NULL,                 -- of the method
    stem     TEXT NOT NULL,                    -- of the file's name
    main     TEXT,                             -- stem of the paper that its name tells of
    opens    BOOLEAN NOT NULL,                 -- it begins as supplements do
    doi      TEXT,
    title    TEXT NOT NULL,                    -- letters alone; empty where it tells nothing
    text     TEXT NOT NULL                     -- letters of what may repeat its paper's title
);
