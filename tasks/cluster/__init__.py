"""Commands of the tasks on several processes or machines."""
