"""A namespace in a file: written whole, read with suspicion. `docs/backup.md` has the format."""
