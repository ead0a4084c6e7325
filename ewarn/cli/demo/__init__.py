"""The demonstration: a reconstructed scenario as real files and a real feed in, real mail and webhook calls out.

All of it on 127.0.0.1, all of it an exercise. It must never reach a live channel or an address outside this machine.
"""
