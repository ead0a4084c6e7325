"""Methods: detection statistics that several rooms need.

In: counts, as frames (one row per stratum and period) or as matrices (series x periods). Out: for every stratum and
period one outcome: signal, clear, or not evaluable with its reason, beside observed, expected, upper bound and an exact
tail probability. Never a clock, a store or a network; never a record, a rule or a person; and a baseline that is too
short never reads as clear.
"""
