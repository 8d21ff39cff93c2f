"""From a prompt, or from notes, to a storyboard: what writes, what holds it to the language, and how it is filed."""
