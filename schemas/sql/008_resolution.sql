-- How the reviewers' answers become one answer an image, what was decided by hand, and what became of each label.

-- How answers are resolved. Without a row the majority decides.
CREATE TABLE resolution (
    source    TEXT PRIMARY KEY,                -- 'review'
    method    TEXT NOT NULL,                   -- 'majority', 'dawid-skene', 'adjudicator' or 'gold'
    annotator TEXT                             -- the adjudicator, or whose answers are gold; NULL: those so marked
);

-- What Dawid and Skene's model makes of answers that differ. It is worked out anew after each pull.
CREATE TABLE consensus (
    image_sha256 TEXT PRIMARY KEY,
    choice       TEXT,                         -- NULL: it cannot tell
    probability  DOUBLE NOT NULL,
    answers      TEXT[] NOT NULL               -- that it was made of; once others stand there, it does not count
);

-- Labels set by hand. They win over every source until they are taken back; of several the highest number counts.
CREATE TABLE label_decisions (
    number       INTEGER PRIMARY KEY,
    image_sha256 TEXT NOT NULL,
    choice       TEXT NOT NULL,                -- a label, or another answer that a reviewer may give
    reason       TEXT NOT NULL,
    decided_by   TEXT NOT NULL
);

-- Every change of a resolved label, from the first one on.
CREATE TABLE label_history (
    number       INTEGER PRIMARY KEY,
    image_sha256 TEXT NOT NULL,
    changed_at   TIMESTAMP NOT NULL,           -- UTC
    what         TEXT NOT NULL,                -- 'set', 'undo', 'resolve', 'answers' or 'sources'
    who          TEXT,                         -- person or annotators; NULL where no person had a part in it
    reason       TEXT,
    from_label   TEXT,
    from_source  TEXT,
    to_label     TEXT,
    to_source    TEXT,
    said         TEXT[] NOT NULL               -- everything that the sources said afterwards
);

ALTER TABLE label_votes ADD COLUMN spans JSON;         -- [{field, start, end}]: where the evidence stands in the record

CREATE VIEW decided AS
SELECT * FROM label_decisions QUALIFY row_number() OVER (PARTITION BY image_sha256 ORDER BY number DESC) = 1;

-- Who answered: a user without a name is known on one server only.
CREATE VIEW named_answers AS
SELECT image_sha256, choice, comment, annotator = 'unknown' AS nameless,
       CASE WHEN annotator SIMILAR TO 'user \d+' THEN annotator || ' of ' || server ELSE annotator END AS annotator,
       coalesce(json_extract_string(raw, '$.ground_truth') = 'true', false) AS ground_truth
FROM answers;

-- One answer of the reviewers an image, by the chosen method; NULL where they tie.
CREATE VIEW reviewers AS
WITH chosen AS (
    SELECT coalesce(max(method), 'majority') AS method, max(annotator) AS annotator FROM resolution
), given AS (
    SELECT image_sha256, count(*) AS votes, count(DISTINCT choice) > 1 AS disputed,
           count(*) FILTER (a.annotator IS DISTINCT FROM chosen.annotator) AS others,
           count(DISTINCT choice) FILTER (a.annotator IS DISTINCT FROM chosen.annotator) AS other_words,
           list(DISTINCT choice ORDER BY choice) AS words,
           list(a.annotator || '=' || choice ORDER BY a.annotator, choice) AS answers
    FROM named_answers a CROSS JOIN chosen GROUP BY image_sha256
), weighed AS (
    SELECT a.image_sha256, a.choice,
           CASE method
               WHEN 'gold' THEN CASE WHEN chosen.annotator IS NULL THEN ground_truth
                                     ELSE a.annotator = chosen.annotator END
               WHEN 'adjudicator' THEN a.annotator = chosen.annotator AND (other_words > 1 OR others = 1)
               ELSE false
           END AS decides
    FROM named_answers a JOIN given USING (image_sha256) CROSS JOIN chosen
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

-- The same with what was decided by hand, which ends every tie.
CREATE OR REPLACE VIEW reviews AS
SELECT image_sha256, coalesce(decided.choice, reviewers.choice) AS choice, coalesce(votes, 0) AS votes,
       coalesce(disputed AND decided.choice IS NULL, false) AS disputed,
       CASE WHEN decided.choice IS NULL THEN said ELSE [decided.choice] END AS said,
       decided.choice IS NOT NULL AS by_hand
FROM reviewers FULL JOIN decided USING (image_sha256);

-- Everything that was said about an image's label. The same word from the same source counts once; of reviewers
-- the answer that the method finds counts, or all their answers where they tie.
CREATE OR REPLACE VIEW label_candidates AS
SELECT DISTINCT panels.image_sha256, label_votes.source, label_votes.label
FROM label_votes JOIN panels USING (panel_id)
UNION ALL
SELECT image_sha256, 'review', word
FROM (SELECT image_sha256, unnest(CASE WHEN choice IS NULL THEN said ELSE [choice] END) AS word FROM reviewers)
WHERE word IN (SELECT label FROM label_words)
UNION ALL
SELECT image_sha256, 'manual', choice FROM decided WHERE choice IN (SELECT label FROM label_words);

-- The resolved label of an image: what was set by hand, else the best-ranked source that speaks with one word and is
-- not too coarse. Where reviewers tie there is no label, whatever other sources say.
CREATE OR REPLACE VIEW labels AS
WITH ranked AS (
    SELECT source, rank, vocabulary, refines FROM label_sources
    UNION ALL SELECT 'manual', 0, NULL, true
), spoken AS (
    SELECT c.image_sha256, c.source, s.rank, s.vocabulary, s.refines,
           min(c.label) AS label, count(DISTINCT c.label) AS words
    FROM label_candidates c JOIN ranked s USING (source)
    GROUP BY c.image_sha256, c.source, s.rank, s.vocabulary, s.refines
), everything AS (
    SELECT image_sha256, list(DISTINCT label ORDER BY label) AS said,
           list(DISTINCT source || '=' || label ORDER BY source || '=' || label) AS sources
    FROM label_candidates GROUP BY image_sha256
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
