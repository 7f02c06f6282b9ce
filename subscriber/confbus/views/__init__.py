"""Parts of the configuration as objects of a type: built before a release is read, and swapped in with it."""

from confbus.views.view import View

__all__ = ["View"]
