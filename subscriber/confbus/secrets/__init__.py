"""Secrets that references lead to: where they are read, when they are read again, and how they get into a snapshot."""
