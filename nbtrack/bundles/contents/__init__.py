"""What stands in a bundle besides its code: results, checklist, pages, a notebook."""
