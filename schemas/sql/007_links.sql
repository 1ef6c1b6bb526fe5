-- Where a join stops: at a panel ('links'), at a figure, at a paper ('paper_links'); and what a person decides.

-- Records whose figure is known but whose panel could not be decided.
CREATE TABLE figure_links (
    figure_id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    method    TEXT NOT NULL,
    score     DOUBLE NOT NULL,                 -- 0 to 1
    PRIMARY KEY (figure_id, record_id)
);

-- Panels that come into question for records without one: what is left to a person.
CREATE TABLE link_candidates (
    record_id TEXT NOT NULL,
    panel_id  TEXT NOT NULL,
    score     DOUBLE NOT NULL,                 -- 0 to 1: how likely it is this one
    PRIMARY KEY (record_id, panel_id)
);

-- Links by hand. Each knows its target by place as well, so that it finds it again when a PDF is read anew; those
-- whose target is there stand in 'links' or 'figure_links' too, with the method 'manual'.
CREATE TABLE manual_links (
    record_id    TEXT NOT NULL,
    target_id    TEXT NOT NULL,                -- of the panel or figure as it was last; '' for no panel at all
    target       TEXT NOT NULL,                -- 'panel', 'figure' or 'nothing'
    paper_id     TEXT,
    page         INTEGER,
    figure_label TEXT,
    panel_label  TEXT,
    x0 DOUBLE, y0 DOUBLE, x1 DOUBLE, y1 DOUBLE,  -- of the target; NULL where it has no box
    PRIMARY KEY (record_id, target_id)
);

-- Where each record was placed, as deep as that could be decided.
CREATE VIEW record_places AS
SELECT record_id, 'panel' AS depth, paper_id, figure_id, panel_id, links.method, links.score
FROM links JOIN panels USING (panel_id) JOIN figures USING (figure_id)
UNION ALL
SELECT record_id, 'figure', paper_id, figure_id, NULL, figure_links.method, figure_links.score
FROM figure_links JOIN figures USING (figure_id)
UNION ALL
SELECT record_id, 'paper', paper_id, NULL, NULL, method, score FROM paper_links;
