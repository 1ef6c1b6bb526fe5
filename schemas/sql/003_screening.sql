-- What the user makes of the screening: how sure a rule must be, and single images decided by hand. Scores stay as
-- the rules gave them; the decision is derived from them here, for everyone who reads it.

-- From this score up an image is accepted. A rule without a row keeps the decision that stands beside its score.
CREATE TABLE screening_thresholds (
    rule      TEXT PRIMARY KEY,
    threshold DOUBLE NOT NULL
);

-- Images decided by hand. They win over every rule and threshold until they are taken back.
CREATE TABLE screening_corrections (
    image_sha256 TEXT PRIMARY KEY,
    decision     TEXT NOT NULL                 -- 'accepted' or 'rejected'
);

DROP VIEW screened;

-- The final decision on an image, and the newest automatic screening behind it. Score, reason and so on are NULL
-- where an image was decided by hand before any rule saw it.
CREATE VIEW screened AS
WITH newest AS (
    SELECT * FROM screenings
    QUALIFY row_number() OVER (PARTITION BY image_sha256 ORDER BY version DESC, rule) = 1
), judged AS (
    SELECT newest.* EXCLUDE (decision), coalesce(threshold, 0.5) AS threshold,
           CASE WHEN threshold IS NULL THEN decision WHEN score >= threshold THEN 'accepted' ELSE 'rejected' END
               AS by_rule
    FROM newest LEFT JOIN screening_thresholds USING (rule)
)
SELECT coalesce(judged.image_sha256, c.image_sha256) AS image_sha256, rule, version, score,
       coalesce(c.decision, by_rule) AS decision, by_rule, c.decision IS NOT NULL AS by_hand, threshold,
       reason, technique, morphology
FROM judged FULL JOIN screening_corrections c ON c.image_sha256 = judged.image_sha256;

-- The technique of each panel's picture: what its caption says goes before what the pixels suggest.
CREATE VIEW panel_techniques AS
WITH spoken AS (
    SELECT panel_id, image_sha256,
           nullif(array_to_string(list_sort(list_distinct(list_transform(
               list_filter(from_json(mentions, '[{"field": "VARCHAR", "value": "VARCHAR"}]'),
                           lambda m: m.field = 'technique'),
               lambda m: m.value))), ', '), '') AS by_caption
    FROM panels
)
SELECT panel_id, by_caption, screened.technique AS by_image, coalesce(by_caption, screened.technique) AS technique
FROM spoken LEFT JOIN screened USING (image_sha256);
