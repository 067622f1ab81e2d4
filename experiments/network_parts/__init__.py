"""Parts of the experiment `network`: what is measured, and the page of its results."""
