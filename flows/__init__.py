"""Prefect around the pipeline's verbs: schedules, retries, one write slot, results as artifacts. No decisions.

Each flow opens the house, calls a verb in a thread and shows what came back. Not shipped in the wheel.
"""
