"""Runs handed out as files that others read: tables, documents, stages, events."""
