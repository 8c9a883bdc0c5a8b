"""How the reference pair is trained: `python -m oneprompt.training`, or `make train`."""
