"""A run as one file: written, checked, imported and run again anywhere."""
