-- What these views ask twice or three times is worked out once: half of the time and less memory.

-- One answer of the reviewers an image, by the chosen method; NULL where they tie.
CREATE OR REPLACE VIEW reviewers AS
WITH chosen AS (
    SELECT coalesce(max(method), 'majority') AS method, max(annotator) AS annotator FROM resolution
), said AS MATERIALIZED (
    SELECT image_sha256, annotator, choice, ground_truth FROM named_answers
), given AS (
    SELECT image_sha256, count(*) AS votes, count(DISTINCT choice) > 1 AS disputed,
           count(*) FILTER (a.annotator IS DISTINCT FROM chosen.annotator) AS others,
           count(DISTINCT choice) FILTER (a.annotator IS DISTINCT FROM chosen.annotator) AS other_words,
           list(DISTINCT choice ORDER BY choice) AS words,
           list(a.annotator || '=' || choice ORDER BY a.annotator, choice) AS answers
    FROM said a CROSS JOIN chosen GROUP BY image_sha256
), weighed AS (
    SELECT a.image_sha256, a.choice,
           CASE method
               WHEN 'gold' THEN CASE WHEN chosen.annotator IS NULL THEN ground_truth
                                     ELSE a.annotator = chosen.annotator END
               WHEN 'adjudicator' THEN a.annotator = chosen.annotator AND (other_words > 1 OR others = 1)
               ELSE false
           END AS decides
    FROM said a JOIN given USING (image_sha256) CROSS JOIN chosen
), counting AS (
    SELECT image_sha256, choice FROM weighed
    QUALIFY decides OR NOT bool_or(decides) OVER (PARTITION BY image_sha256)
), counted AS (
    SELECT image_sha256, choice, count(*) AS votes FROM counting GROUP BY image_sha256, choice
), best AS (
    SELECT image_sha256, list(choice ORDER BY choice) AS said
    FROM (SELECT * FROM counted QUALIFY votes = max(votes) OVER (PARTITION BY image_sha256)) GROUP BY image_sha256
), modelled AS (
    SELECT given.image_sha256, consensus.choice
    FROM given CROSS JOIN chosen LEFT JOIN consensus
         ON consensus.image_sha256 = given.image_sha256 AND consensus.answers = given.answers
    WHERE method = 'dawid-skene' AND disputed
)
SELECT given.image_sha256,
       CASE WHEN modelled.image_sha256 IS NOT NULL THEN modelled.choice WHEN len(best.said) = 1 THEN best.said[1] END
           AS choice,
       given.votes::INTEGER AS votes, given.disputed,
       CASE WHEN modelled.image_sha256 IS NULL THEN best.said
            WHEN modelled.choice IS NULL THEN given.words ELSE [modelled.choice] END AS said
FROM given JOIN best USING (image_sha256) LEFT JOIN modelled USING (image_sha256);

-- The resolved label of an image, as before.
CREATE OR REPLACE VIEW labels AS
WITH candidates AS MATERIALIZED (
    SELECT * FROM label_candidates
), ranked AS (
    SELECT source, rank, vocabulary, refines FROM label_sources
    UNION ALL SELECT 'manual', 0, NULL, true
), spoken AS (
    SELECT c.image_sha256, c.source, s.rank, s.vocabulary, s.refines,
           min(c.label) AS label, count(DISTINCT c.label) AS words
    FROM candidates c JOIN ranked s USING (source)
    GROUP BY c.image_sha256, c.source, s.rank, s.vocabulary, s.refines
), everything AS (
    SELECT image_sha256, list(DISTINCT label ORDER BY label) AS said,
           list(DISTINCT source || '=' || label ORDER BY source || '=' || label) AS sources
    FROM candidates GROUP BY image_sha256
), finer AS (
    SELECT image_sha256, list(label) FILTER (WHERE refines AND words = 1) AS finer FROM spoken GROUP BY image_sha256
), usable AS (
    SELECT spoken.*, everything.said, everything.sources, reviews.image_sha256 IS NOT NULL AS tied,
           vocabulary IS NOT NULL AND len(list_filter(finer, lambda w: NOT list_contains(vocabulary, w))) > 0 AS coarse
    FROM spoken JOIN everything USING (image_sha256) JOIN finer USING (image_sha256)
    LEFT JOIN reviews ON reviews.image_sha256 = spoken.image_sha256 AND reviews.choice IS NULL
)
SELECT image_sha256,
       arg_min(label, rank) FILTER (WHERE words = 1 AND NOT coalesce(coarse, false) AND NOT tied) AS label,
       CASE WHEN bool_or(tied) THEN 'review'
            ELSE arg_min(source, rank) FILTER (WHERE words = 1 AND NOT coalesce(coarse, false)) END AS source,
       any_value(len(said)) > 1 OR bool_or(tied) AS conflict,
       any_value(sources) AS sources
FROM usable GROUP BY image_sha256;
