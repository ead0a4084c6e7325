"""What an attempt ended with, beyond Apprise's yes and no.

In: the answer of the other side. Out: a fault in words, and what it means for the next attempt. An object that leaves
`fault` empty lets what was heard of the network say the same. It must never say that nothing arrived where it may have.
"""

from __future__ import annotations


class Answered:
    """Set by the objects that carry a message.

    `unknown`: it may have arrived; `silent`: nobody answered at all; `blocked`: everybody on this server would get the
    same answer now; `seconds_to_wait`: before the server wants to be asked again; `remote`: what the other side calls
    the message, to ask for it or to answer under it.
    """

    fault: str = ""
    may_retry: bool = True
    unknown: bool = False
    silent: bool = False
    blocked: bool = False
    seconds_to_wait: float = 0.0
    remote: str = ""

    def failed(self, fault: str, *, retry: bool, unknown: bool = False, silent: bool = False) -> bool:
        self.fault, self.may_retry, self.unknown, self.silent = fault, retry, unknown, silent
        return False
