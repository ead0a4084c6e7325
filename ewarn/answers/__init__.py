"""The answer service: small public pages on which recipients say what they read and did, and anybody checks an alert.

In: a published list, keys by reference, requests from anywhere. Out: pages without script, and signed files in a spool.
It must never open the database, load the pipeline, set a cookie, keep an address, or say who received what.
"""
