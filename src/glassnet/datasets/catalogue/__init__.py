"""Data sets that can be downloaded: where they lie, how they are fetched and checked, how their files are read."""
