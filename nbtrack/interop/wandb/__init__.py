"""The logs that Weights & Biases leaves on disk, read without it and its server."""
