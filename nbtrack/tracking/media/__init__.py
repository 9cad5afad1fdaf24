"""Rich values of a run: images, figures, tables, curves, histograms, sound."""
