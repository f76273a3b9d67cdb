"""Files on disk -> arrays, without torch: where data sets are looked for, how they are read, what is missing."""
