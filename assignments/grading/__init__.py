"""Grades unknown notebooks: what a submission's code can do is limited, what it earns is not lost.

files.py finds submissions and assignments, assemble.py checks a file and puts the tests back,
jail.py limits the kernel, kernel.py talks to it, guard.py watches inside of it, submission.py
grades one file, batch.py many; rows.py, feedback.py, similarity.py and export.py write the results.
"""
