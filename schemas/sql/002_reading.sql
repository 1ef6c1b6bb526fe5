-- What is read of a panel beside its box: the scale bar, what the caption says in single words, and what the
-- screening thinks of the technique.

-- Scale bars read from images. An image without one, or whose bar could not be told, has a row of NULLs: it was looked at.
CREATE TABLE scale_readings (
    image_sha256 TEXT PRIMARY KEY,
    version      INTEGER NOT NULL,         -- of the reader
    value        DOUBLE,
    unit         TEXT,
    value_um     DOUBLE,
    length_px    DOUBLE,
    confidence   DOUBLE,
    x0           DOUBLE,                   -- ends and height of the bar, pixels of the stored image
    x1           DOUBLE,
    y            DOUBLE
);

-- Every scale that is known of a panel: said in its caption ('caption') or read from its image ('image').
CREATE VIEW panel_scales AS
SELECT panel_id, method, value, unit, value_um, length_px, confidence,
       NULL::DOUBLE AS x0, NULL::DOUBLE AS x1, NULL::DOUBLE AS y
FROM scale_bars
UNION ALL
SELECT panel_id, 'image', value, unit, value_um, length_px, scale_readings.confidence,
       scale_readings.x0, scale_readings.x1, scale_readings.y
FROM scale_readings JOIN panels USING (image_sha256) WHERE value IS NOT NULL;

ALTER TABLE panels ADD COLUMN mentions JSON;           -- [{field, value, text, start, end}] read from the caption

DROP VIEW screened;
ALTER TABLE screenings ADD COLUMN technique TEXT;      -- 'SEM', 'TEM', 'optical', 'AFM' by the pixels; NULL: not told
ALTER TABLE screenings ADD COLUMN morphology DOUBLE;   -- 0 to 1: does it show a blend's morphology?

CREATE VIEW screened AS
SELECT * FROM screenings
QUALIFY row_number() OVER (PARTITION BY image_sha256 ORDER BY version DESC, rule) = 1;
