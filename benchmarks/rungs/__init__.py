"""The rungs of the ladder, one a file; each is found by lying here and defining RUNG and ORDER."""
