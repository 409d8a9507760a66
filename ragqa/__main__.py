"""`python -m ragqa` is the `ragqa` command."""

from ragqa.doorway import main

if __name__ == "__main__":
    main()
