"""Whether a method of analysis confirms what it finds, where the source does not say so itself.

In: the method as the source writes it. Out: presumptive (true), confirmatory (false), or null where the words decide
nothing. A presumptive test alone never confirms a substance, so a word for one outweighs all others, and of several
methods the confirmatory one counts.
Source: SWGDRUG Recommendations, part III B: mass spectrometry and NMR stand first among what identifies a substance,
colour tests and immunoassays last. Ours: infrared and Raman instruments only indicate, for as drug-checking services
and custody suites use them a few per cent of a nitazene lie below what they can see.
"""

from __future__ import annotations

import polars as pl

_SAID = r"(?i)\b(?:presumptive|indicative|screen(?:ing|ed)?|preliminary|unconfirmed)\b"
_CONFIRMS = (
    r"(?i)\bNMR\b|\bHR[- ]?MS\b|\bmass[- ]spec|\bQ[- ]?TOF\b|\borbitrap\b|\bMS[/-]MS\b"
    r"|\b(?:U?H?U?P?[GL]C|HPLC)[ /-]*(?:HR|Q|QQQ|T|tandem)?[ /-]*(?:MS|MSD|TOF|QTOF)\b|\bconfirmatory\b"
)
_INDICATES = (
    r"(?i)\bstrips?\b|\blateral[- ]flow\b|\bimmuno\w*|\breagents?\b|\bmarquis\b|\bmecke\b|\bmandelin\b"
    r"|\bcolou?r tests?\b"
    r"|\bspot tests?\b|\bfield\b|\b(?:ATR[- ]?)?FT-?IR\b|\binfra-?red\b|\braman\b|\bion mobility\b|\bdipstick\b"
)


def presumed(method: pl.Expr) -> pl.Expr:
    """True where a method only indicates, false where it confirms, null where its words tell neither."""
    return (
        pl.when(method.str.contains(_SAID))
        .then(True)
        .when(method.str.contains(_CONFIRMS))
        .then(False)
        .when(method.str.contains(_INDICATES))
        .then(True)
    )
