"""The guide's API: a configuration manager for one process, or as publisher and reader of a fleet."""
