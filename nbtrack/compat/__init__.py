"""Floor 4: other tools' Python interfaces, kept by the store of this folder."""
