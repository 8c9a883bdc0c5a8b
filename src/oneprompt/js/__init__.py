"""The model in the page: JavaScript twins of the package's modules, by the same names."""
