"""The first confbus.yaml of somebody who has none: which files it may name, and how it is written."""
