"""Other simulators: scripts that run in the interpreter that has them, and need nothing of ours.

A script is called as ``python script.py parameters.json result.json``.
"""
