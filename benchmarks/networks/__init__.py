"""The networks that are timed, each described once: parameters as a record, and a description."""
