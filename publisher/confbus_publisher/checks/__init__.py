"""What a merged document has to pass before it goes out.

Every check looks at the whole candidate, and all problems are collected: who mends a configuration wants to see
everything at once. An error refuses, a warning is told. No check ever prints a value of the document.
"""

from confbus_publisher.checks.candidate import Candidate
from confbus_publisher.checks.check import Check, Shaping, refuse_errors, run_checks
from confbus_publisher.checks.problem import Problem

__all__ = ["Candidate", "Check", "Problem", "Shaping", "refuse_errors", "run_checks"]
