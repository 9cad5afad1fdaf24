"""What each executed cell reads and changes, looked at before and after it."""
