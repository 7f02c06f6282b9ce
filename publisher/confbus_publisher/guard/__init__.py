"""The guard: a release is watched after it went out, and the one before it comes back when it does harm."""
