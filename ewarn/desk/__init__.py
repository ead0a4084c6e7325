"""The web door: a Today page for the people of one deployment, on this machine only.

In: a way to open the house, and a clock. Out: pages. It reads; it never writes, grades, approves or sends.
"""

from ewarn.desk.app import create_app

__all__ = ["create_app"]
