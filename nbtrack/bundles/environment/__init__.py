"""The packages that a run needs: which they are, how to get them, if they are here."""
