"""Networks that no library has. They import torch, so they are imported only where a model is loaded or run."""
