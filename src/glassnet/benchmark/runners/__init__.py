"""Stand-alone programs, one for each kind of peer: a JSON job on the command line, one JSON line as the answer."""
