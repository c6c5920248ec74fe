"""What the stores in databases share: statements, row mapping, queries, migrations."""
