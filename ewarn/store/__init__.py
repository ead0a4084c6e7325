"""Store: the house's only memory, one DuckDB file behind a file lock.

In: snapshots of bytes, staged frames, signals, cases, people, decisions, deliveries. Out: line lists as they were known
at a time, and the nouns of `ewarn.terms`. It never changes what it once said: versions, acts and receipts are appended,
and every act leaves a link in the audit chain. No other room opens the database.
"""
