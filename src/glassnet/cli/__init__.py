"""The command line: a command parses, makes one library call, and formats what comes back."""
