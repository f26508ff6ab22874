"""The bundled samples of the three tasks, and their generators, which are not installed with the suite."""
