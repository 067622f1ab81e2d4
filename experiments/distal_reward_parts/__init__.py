"""What the experiment distal-reward measures and draws."""
