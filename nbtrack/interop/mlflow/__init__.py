"""MLflow: its stores read without it, runs sent to its servers by its own client."""
