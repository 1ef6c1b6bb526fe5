-- Scale bars that somebody corrected: rows of scale_bars with the method 'hand', a value of 0 where there is no bar. What is
-- said of one panel holds of its image wherever that is shown, and wins over the caption and every reading; of several
-- corrections the last counts, and where no length was said, that which was read does.
ALTER TABLE scale_bars ADD COLUMN said TEXT;           -- when somebody said it (UTC, ISO 8601), of the method 'hand'

CREATE VIEW bars_by_hand AS
SELECT image_sha256, scale_bars.* FROM scale_bars JOIN panels USING (panel_id) WHERE method = 'hand'
QUALIFY row_number() OVER (PARTITION BY image_sha256 ORDER BY said DESC NULLS LAST, panel_id) = 1;

-- The scale bar of each image as it is in force. Where only the value was corrected, the ends that were read stay.
CREATE VIEW image_bars AS
SELECT image_sha256, method, said.value, said.unit, said.value_um, coalesce(said.length_px, read_px) AS length_px,
       said.confidence, CASE WHEN same THEN x0 END AS x0, CASE WHEN same THEN x1 END AS x1, CASE WHEN same THEN y END AS y
FROM (
    SELECT hand.*, x0, x1, y, bars.length_px AS read_px,
           hand.length_px IS NULL OR abs(hand.length_px - bars.length_px) < 0.5 AS same
    FROM bars_by_hand hand LEFT JOIN scale_readings bars USING (image_sha256)
) said
WHERE said.value > 0
UNION ALL
SELECT image_sha256, 'image', value, unit, value_um, length_px, confidence, x0, x1, y
FROM scale_readings ANTI JOIN bars_by_hand USING (image_sha256) WHERE value IS NOT NULL;

-- Every scale that is known of a panel: said in its caption ('caption'), read from its image ('image') or said by hand.
CREATE OR REPLACE VIEW panel_scales AS
SELECT panel_id, method, value, unit, value_um, length_px, scale_bars.confidence,
       NULL::DOUBLE AS x0, NULL::DOUBLE AS x1, NULL::DOUBLE AS y
FROM scale_bars JOIN panels USING (panel_id)
WHERE method <> 'hand' AND image_sha256 NOT IN (SELECT image_sha256 FROM bars_by_hand WHERE image_sha256 IS NOT NULL)
UNION ALL
SELECT panel_id, method, value, unit, value_um, length_px, image_bars.confidence, image_bars.x0, image_bars.x1, image_bars.y
FROM image_bars JOIN panels USING (image_sha256);
