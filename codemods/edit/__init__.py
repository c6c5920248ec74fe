"""Small safe edits: ranges of text, and syntax trees of the single construct that changes."""
