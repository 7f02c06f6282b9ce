"""What a publisher says over HTTP: whether it lives, whether it is ready, its metrics, and where it stands."""
