"""Floor 3: answers from records: queries, tables, curves."""
