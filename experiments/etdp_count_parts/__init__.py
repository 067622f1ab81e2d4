"""Parts of the experiment `etdp-count`."""
