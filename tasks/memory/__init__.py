"""Long-term memory of recurrent cells, measured on the copy-first-symbol task."""
