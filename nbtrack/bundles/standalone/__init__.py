"""What goes into a bundle to be run without nbtrack."""
