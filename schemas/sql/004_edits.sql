-- Corrections by hand of what extraction found. They are kept when a paper is read again: after it, each looks up its
-- target by place and is made again, in the order of their numbers.
CREATE TABLE edits (
    edit_id      TEXT PRIMARY KEY,             -- from all that follows, without stale
    paper_sha256 TEXT NOT NULL,                -- of the PDF
    number       INTEGER NOT NULL,             -- order within the paper, from 1
    target       TEXT NOT NULL,                -- 'figure', 'panel' or 'new figure'
    place        JSON NOT NULL,                -- {page, label, box, panel_label, panel_box}: the target before the edit
    changes      JSON NOT NULL,                -- {page, box, caption, label, kind, delete}; NULL: left as it is
    stale        TEXT                          -- why it could not be made when the paper was last read; NULL: in force
);
