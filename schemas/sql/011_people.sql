-- What people said follows the picture it was said of, outlives a server that was set up anew, and words of the task
-- that were changed.

-- An image that no panel shows any more, and the one that stands in its place: the same panel read with other bytes, or
-- nearly the same picture of a paper that was read anew.
CREATE TABLE image_successors (
    image_sha256 TEXT PRIMARY KEY,
    successor    TEXT NOT NULL
);

-- Looks of images of which people said something: they outlive the row in images.
CREATE TABLE seen_images (
    image_sha256 TEXT PRIMARY KEY,
    phash        TEXT NOT NULL,
    width        INTEGER NOT NULL,
    height       INTEGER NOT NULL
);

-- Which project an answer came from: the mark that its page carries on the server. A server that was set up anew at
-- the same address numbers from 1 again and has other marks.
ALTER TABLE annotations ADD COLUMN mark TEXT;
ALTER TABLE label_projects ADD COLUMN mark TEXT;

-- Words of the task that were changed. Answers keep the word that was said on the server, in raw.
CREATE TABLE label_renames (
    old        TEXT PRIMARY KEY,
    new        TEXT NOT NULL,
    renamed_at TIMESTAMP NOT NULL,
    renamed_by TEXT NOT NULL
);

-- Where a decision by hand was made: NULL in this workspace, else the workspace it was merged from.
ALTER TABLE label_decisions ADD COLUMN origin TEXT;

-- Of which images something counts that was said of one: of itself, unless it is gone and another stands in its place,
-- and of that one.
CREATE VIEW speaks_of AS
SELECT said AS image_sha256, said AS image
FROM (SELECT image_sha256 AS said FROM annotations UNION SELECT image_sha256 FROM label_decisions)
WHERE said NOT IN (SELECT image_sha256 FROM image_successors) OR said IN (SELECT image_sha256 FROM panels)
UNION
SELECT image_sha256, successor FROM image_successors;

-- What each reviewer said last of an image, or of one in whose place it stands.
CREATE OR REPLACE VIEW answers AS
SELECT * FROM (
    SELECT annotations.* REPLACE (image AS image_sha256) FROM annotations JOIN speaks_of USING (image_sha256)
)
WHERE NOT cancelled AND NOT deleted AND choice IS NOT NULL AND role <> 'blind'
QUALIFY row_number() OVER (
    PARTITION BY image_sha256, annotator,
                 CASE WHEN annotator = 'unknown' THEN concat_ws(' ', project, annotation_id, server)
                      WHEN annotator SIMILAR TO 'user \d+' THEN server END
    ORDER BY updated_at DESC, server, project, annotation_id DESC
) = 1;

-- The decision that counts of each image, made of it or of one in whose place it stands.
CREATE OR REPLACE VIEW decided AS
SELECT * FROM (
    SELECT label_decisions.* REPLACE (image AS image_sha256) FROM label_decisions JOIN speaks_of USING (image_sha256)
)
QUALIFY row_number() OVER (PARTITION BY image_sha256 ORDER BY number DESC) = 1;
