"""What may be shown to whom. Suppression is by audience; nothing is suppressed in storage."""
