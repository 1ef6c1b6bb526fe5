-- Images that look nearly alike and are two pictures, such as frames of a series, as somebody who looked at both says.

-- Each pair stands in both directions, so that either image is one of which something was said.
CREATE TABLE distinct_images (
    image_sha256 TEXT NOT NULL,
    other_sha256 TEXT NOT NULL,
    reason       TEXT NOT NULL,
    decided_by   TEXT NOT NULL,
    PRIMARY KEY (image_sha256, other_sha256)
);

-- The same of the images that are shown: where one is gone, of the one that stands in its place.
CREATE VIEW distinct_pairs AS
WITH standing AS (
    SELECT image_sha256, successor FROM image_successors ANTI JOIN panels USING (image_sha256)
)
SELECT DISTINCT coalesce(own.successor, said.image_sha256) AS image_sha256,
                coalesce(theirs.successor, other_sha256) AS other_sha256, reason, decided_by
FROM distinct_images said
LEFT JOIN standing own ON own.image_sha256 = said.image_sha256
LEFT JOIN standing theirs ON theirs.image_sha256 = other_sha256;
