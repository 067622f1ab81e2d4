"""Parts of the experiment `mapping`."""
