"""Comparisons of cells and sizes, with seeds and error bars."""
