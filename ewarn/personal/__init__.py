"""What is one recipient's own in a message: its link and its code; what the page behind them may show; what comes back.

In: a delivery's id and keys. Out: placeholders and what stands in their place, signed links, a published list, a spool
of answers. It must never open the database, hold an address, or say who a recipient is.
"""
