"""The command line: settings classes -> options, errors -> messages and exit codes."""
