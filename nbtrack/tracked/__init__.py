"""Floor 4: code that is recorded as it stands: what cells and scripts share."""
