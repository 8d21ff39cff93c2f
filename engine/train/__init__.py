"""Making a voice: recordings become a dataset, a dataset trains a speech model, and what came of it is measured.

Small steps, each with a file of its own: recordings.py opens, cutting.py cuts, faults.py judges, texts.py finds the
words, dataset.py keeps what is good, page.py shows it; job.py starts NeMo's trainer (tuning.py, in a process of its
own), evaluate.py measures, voice.py wires these together. Nothing here is imported by a render.
"""
