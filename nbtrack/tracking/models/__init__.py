"""The model registry: versions with a signature, stages, approval, rollback, cards."""
