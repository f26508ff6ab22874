"""The three tasks, and the rooms that they share; `CONTRIBUTING.md` describes them."""
