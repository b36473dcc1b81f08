"""What a run becomes for others: a report to mail, and the code that repeats it."""
