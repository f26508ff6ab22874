"""A fourth task, as small as one can be: is this character part of a number? Known to the tests alone."""
