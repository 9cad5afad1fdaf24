"""What can be seen of a run without asking: params, metrics, files, code, data flow."""
