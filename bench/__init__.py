"""The numbers that the README quotes: each is a ratio against a floor and peers, measured in the same interleaved run.

`python -m bench` runs all and prints one table; `python -m bench read propagation` runs some.
"""
