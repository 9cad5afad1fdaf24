"""What the handlers answer: functions of the desk, run in the reader's thread."""
