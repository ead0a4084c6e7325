"""Signals become cases, cases become graded drafts, and named people decide. Pure: no clock, no store, no network."""
