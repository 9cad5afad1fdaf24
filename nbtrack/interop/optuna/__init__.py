"""All studies of a storage of Optuna; of one study, see `nbtrack.import_study`."""

from nbtrack.interop.optuna.source import open_source, recognises

__all__ = ["open_source", "recognises"]
