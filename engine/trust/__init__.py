"""Whose likeness may be used: a gate that is asked before each lookup and again before each run, and is in no key.

consent.py judges what a persona.yaml says, gate.py asks again while a film is made, permit.py is what a worker needs to
ask for itself. Whatever else makes a film trustworthy has its place here too: when films are signed, what signs them.
"""
