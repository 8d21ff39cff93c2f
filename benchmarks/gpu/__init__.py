"""What models cost on a GPU: plain diffusers code beside our profiles, on models of full size with random weights."""
