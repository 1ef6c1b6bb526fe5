-- The projects in Label Studio that a workspace asks reviewers in, and which of their answers are labels.

CREATE TABLE label_projects (
    server  TEXT NOT NULL,
    project BIGINT NOT NULL,
    title   TEXT NOT NULL,
    role    TEXT NOT NULL,                     -- 'label', 'review' (images that annotators differ about) or 'blind'
    split   TEXT,                              -- whose test images a blind project shows
    PRIMARY KEY (server, title)
);

-- What the project was for. Answers given blind measure people; they are not labels.
ALTER TABLE annotations ADD COLUMN role TEXT DEFAULT 'label';

-- What each reviewer said last of an image, in whatever project. Answers by nobody who is known ('unknown') are
-- each their own; a user without a name is known on one server only.
CREATE OR REPLACE VIEW answers AS
SELECT * FROM annotations
WHERE NOT cancelled AND NOT deleted AND choice IS NOT NULL AND role <> 'blind'
QUALIFY row_number() OVER (
    PARTITION BY image_sha256, annotator,
                 CASE WHEN annotator = 'unknown' THEN concat_ws(' ', project, annotation_id, server)
                      WHEN annotator SIMILAR TO 'user \d+' THEN server END
    ORDER BY updated_at DESC, server, project, annotation_id DESC
) = 1;
