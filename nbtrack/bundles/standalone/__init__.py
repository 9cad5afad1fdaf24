"""Code that is copied into a bundle and runs there without nbtrack."""
