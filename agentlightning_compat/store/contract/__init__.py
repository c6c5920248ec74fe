"""The public methods of a store, by subject: they check, make one command and have it answered."""
