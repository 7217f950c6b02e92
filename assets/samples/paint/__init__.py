"""The scripts that painted the built-in sample pictures; see ``__main__`` for how to run them."""
