"""The model in the page: JavaScript twins of the package's modules, with the same names."""
