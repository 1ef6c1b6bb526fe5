-- Several things are measured in one unit of the sample: panels and letters of a figure; screening, scale and label of
-- an image. So each has its own count, and what the program claims of it, as it was shown to the judge.

ALTER TABLE quality_strata RENAME TO former_strata;
ALTER TABLE quality_sample RENAME TO former_sample;

-- How large each stratum was when the sample was drawn, for each thing that is measured there.
CREATE TABLE quality_strata (
    kind    TEXT NOT NULL,                     -- 'page', 'figure' or 'image'
    stratum TEXT NOT NULL,
    what    TEXT NOT NULL,                     -- 'figures', 'captions', 'panels', 'letters', 'micrographs', ...
    units   INTEGER NOT NULL,                  -- pages, figures or images in which it is looked for
    found   INTEGER NOT NULL,                  -- how many were found in all of them
    seed    BIGINT NOT NULL,
    PRIMARY KEY (kind, stratum, what)
);

CREATE TABLE quality_sample (
    unit     TEXT PRIMARY KEY,                 -- '<SHA-256 of the PDF>-<page>', a figure_id, the SHA-256 of an image
    kind     TEXT NOT NULL,
    stratum  TEXT NOT NULL,
    position INTEGER NOT NULL,                 -- in which order units are judged: any beginning is a sample too
    place    TEXT NOT NULL,                    -- paper, page and figure, for people
    found    JSON NOT NULL,                    -- {what: how many were found}, of what is looked for in this unit
    claims   JSON NOT NULL,                    -- {what: what the program says}, of what no box shows
    words    TEXT NOT NULL,                    -- the captions that were found on a page, the caption of a figure
    picture  TEXT NOT NULL,                    -- 64 digits: of the picture with the boxes drawn, or of the image
    judged   JSON                              -- what a person counted; NULL: not judged
);

INSERT INTO quality_strata
SELECT kind, stratum, CASE kind WHEN 'page' THEN 'figures' WHEN 'figure' THEN 'panels' ELSE 'micrographs' END,
       units, found, seed FROM former_strata
UNION ALL
SELECT kind, stratum, 'captions', units, named, seed FROM former_strata WHERE kind = 'page';

INSERT INTO quality_sample
SELECT unit, kind, stratum, position, place,
       CASE kind WHEN 'page' THEN json_object('figures', found, 'captions', named)
                 WHEN 'figure' THEN json_object('panels', found)
                 ELSE json_object('micrographs', found) END,
       '{}', words, picture, judged FROM former_sample;

DROP TABLE former_strata;
DROP TABLE former_sample;
