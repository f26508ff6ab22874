"""Tests of the project.

A regular package: as a namespace it would be hidden by any other `tests` on the path, such as that of IPython 7.
"""
