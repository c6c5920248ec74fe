"""One rule a file: what is legacy, why, and how it is rewritten."""
