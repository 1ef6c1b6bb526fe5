-- What extraction reads of a panel beside its box: where the scale bar's line lies, what the caption says in
-- single words, and what the screening thinks of the technique.

ALTER TABLE scale_bars ADD COLUMN x0 DOUBLE;           -- ends and height of the bar, pixels of the stored image
ALTER TABLE scale_bars ADD COLUMN x1 DOUBLE;
ALTER TABLE scale_bars ADD COLUMN y DOUBLE;

ALTER TABLE panels ADD COLUMN mentions JSON;           -- [{field, value, text, start, end}] read from the caption

DROP VIEW screened;
ALTER TABLE screenings ADD COLUMN technique TEXT;      -- 'SEM', 'TEM', 'optical', 'AFM' by the pixels; NULL: not told
ALTER TABLE screenings ADD COLUMN morphology DOUBLE;   -- 0 to 1: does it show a blend's morphology?

CREATE VIEW screened AS
SELECT * FROM screenings
QUALIFY row_number() OVER (PARTITION BY image_sha256 ORDER BY version DESC, rule) = 1;
