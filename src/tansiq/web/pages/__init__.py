"""One module for each group of screens. Each function takes a `Visit` and returns a response."""
