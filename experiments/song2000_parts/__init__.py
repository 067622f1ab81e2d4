"""The runs of the experiment song2000 behind its page of results."""
