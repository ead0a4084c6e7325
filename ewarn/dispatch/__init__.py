"""Approved texts and pages go out, each to one address at a time. The only room that sends."""
