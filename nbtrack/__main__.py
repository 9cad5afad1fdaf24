"""`python -m nbtrack ...`: the command, with the Python that is meant."""

from nbtrack.cli import main

if __name__ == "__main__":
    main()
