"""The texts that documents come in, each to the same frozen tree with the place of every value; bounded, and strict."""
