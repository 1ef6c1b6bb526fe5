-- A random sample of the corpus that people judge: pages (figures and captions), figures (panels), images (screening).

-- What the sample stands for: how large each stratum was when it was drawn.
CREATE TABLE quality_strata (
    kind    TEXT NOT NULL,                     -- 'page', 'figure' or 'image'
    stratum TEXT NOT NULL,
    units   INTEGER NOT NULL,                  -- pages, figures or images in it
    found   INTEGER NOT NULL,                  -- figures, panels or micrographs that were found in all of them
    named   INTEGER NOT NULL,                  -- of the figures of pages: those with a caption
    seed    BIGINT NOT NULL,
    PRIMARY KEY (kind, stratum)
);

CREATE TABLE quality_sample (
    unit     TEXT PRIMARY KEY,                 -- '<SHA-256 of the PDF>-<page>', a figure_id, the SHA-256 of an image
    kind     TEXT NOT NULL,
    stratum  TEXT NOT NULL,
    position INTEGER NOT NULL,                 -- in which order units are judged: any beginning is a sample too
    place    TEXT NOT NULL,                    -- paper, page and figure, for people
    found    INTEGER NOT NULL,
    named    INTEGER NOT NULL,
    words    TEXT NOT NULL,                    -- the captions that were found on a page
    picture  TEXT NOT NULL,                    -- 64 digits: of the picture with the boxes drawn, or of the image
    judged   JSON                              -- what a person counted; NULL: not judged
);
