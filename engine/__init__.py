"""mikebot: renders a storyboard into a film, and makes again only what changed."""

__version__ = "0.1.0"
