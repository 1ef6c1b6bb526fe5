-- What PoLyInfo's own shapes say beyond a plain table.

ALTER TABLE records ADD COLUMN polymer_ids TEXT;
ALTER TABLE records ADD COLUMN glass_transition TEXT;  -- with temperature, unit and method, as written
ALTER TABLE records ADD COLUMN dsc TEXT;               -- what calorimetry gave
ALTER TABLE records ADD COLUMN measurement TEXT;       -- methods of the measurements

CREATE TABLE record_components (
    record_id  TEXT NOT NULL,
    position   INTEGER NOT NULL,           -- order in the record, from 0
    name       TEXT NOT NULL,
    polymer_id TEXT,
    ratio      DOUBLE,
    unit       TEXT,                       -- 'wt%', 'vol%', 'mol%', 'phr'; NULL: not said
    PRIMARY KEY (record_id, position)
);

CREATE TABLE record_properties (
    record_id TEXT NOT NULL,
    position  INTEGER NOT NULL,            -- order in the record, from 0
    title     TEXT NOT NULL,
    name      TEXT NOT NULL,
    low       TEXT NOT NULL,               -- as written; empty where there is none
    high      TEXT NOT NULL,
    sign      TEXT NOT NULL,               -- '≈', '<', '>', '≤', '≥' or empty
    unit      TEXT NOT NULL,
    method    TEXT NOT NULL,
    condition TEXT NOT NULL,
    remark    TEXT NOT NULL,
    PRIMARY KEY (record_id, position)
);
