"""The published data set of the seed article: its images, records, labels and split."""
