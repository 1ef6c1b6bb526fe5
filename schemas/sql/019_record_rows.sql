-- Where a record stands in the table it came from, so that a person finds it there again: the row as a spreadsheet counts it.
-- NULL for records that were imported before, and for those of published data sets.
ALTER TABLE records ADD COLUMN source_row INTEGER;
