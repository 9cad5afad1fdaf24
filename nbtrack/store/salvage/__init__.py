"""Reads what can be read of a damaged store, and writes it as a new one.

copying    the damaged file, copied as it is: it is never opened here, nor written
pages      its pages, with what its write-ahead log has of them
records    rows out of a page
tables     which pages are whose, when the way down to them is damaged too
rebuild    the rows in a new store
salvaging  all of it, with files and journals, and what was lost
"""
