"""Floor 5: what a notebook shows and understands: magics, messages, panels."""
