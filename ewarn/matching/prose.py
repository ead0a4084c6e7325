"""Prose told from names: which words of a cause of death or a notice name nothing, and which stand where a name would.

In: words and what is already known of them. Out: yes or no. It only keeps prose out of the naming queue; a listed name
is found whatever stands around it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ewarn.matching.text import word_set

# Endings that medicine and everyday language use and names of substances do not.
_ENDING = re.compile(
    r".{2,}(?:osis|oses|itis|asis|esis|emia|aemia|emic|aemic|pathy|pathic|ectomy|otomy|megaly|trophy|trophic|plegia"
    r"|uria|pnea|pnoea|algia|oma|omas|emia|rrhage|rrhagic|rrhosis|cardia|monia|physema|edema|oedema|thermia|ism|isms"
    r"|tion|tions|sion|sions|ment|ments|ness|ity|ities|ing|ings|ously|ously|ly|ous|ship|ance|ence|ences|ency|ancy"
    r"|ular|iac|ular|otic|atic|etic|itic|ological|logy|ward|wards|able|ible|ful|less|ised|ized|ated|icated|uted|ined"
    r"|ected|ssed|rred|ured|ived|aved|ombined|axed|ked|tary|tory|ical|ually|graphy|scopy|stasis|ischemic|ischaemic)"
)
_QUANTITY = re.compile(r"\d+(?:mg|mcg|ug|g|kg|ml|l|ng|mmol|x|st|nd|rd|th|pm|am|hrs?|yrs?|years?|days?)?")
_UNITS = word_set("mg mcg ug g kg ml l ng mmol percent pct litre liter dl mol hours days")
# Words that say the text is about what was taken, so that an unknown word beside them may be its name.
CUES = word_set(
    "intoxication intoxications intoxicaton toxicity toxicities toxic toxicology poisoning poisonings overdose "
    "overdoses effects effect ingestion ingested due including included includes involving containing consumption "
    "levels level use abuse misuse exposure adverse combined mixed multidrug polydrug polysubstance multiple detected "
    "found identified confirmed positive presence inhalation injection administration taken"
)
# Right behind these stands no name, right before them one does: 'acute loperamide intoxication'.
TOXIC = word_set(
    "intoxication intoxications toxicity toxicities toxicosis poisoning poisonings overdose overdoses ingestion "
    "inhalation exposure"
)
_LEADS = word_set("of by to from")
JOINS = word_set("and with plus or und et y a ac gyda including mit avec including nor versus")
JOINTS = word_set("of and with by the acute")  # found run together with names where a space was lost
_SEPARATOR = re.compile(r"[,;/&+|()\[\]:\n.]")
# Words that may stand around the names in a laboratory's cell.
REMARKS = word_set(
    "and with plus or trace traces major minor confirmed suspected main component components possible probable "
    "possibly probably perhaps maybe tentative tentatively "
    "presumptive presumptively detected present identified positive contains "
    "containing mixture mix mixed of in the a low high content level small amount amounts also likely isomer isomers "
    "tablet tablets powder pill pills capsule capsules unspecified free total approx approximately about strong weak"
)


def is_unit(tokens: list[str]) -> bool:
    """The word that follows a number, if any, is a unit."""
    return bool(tokens) and tokens[0] in _UNITS


def is_quantity(token: str) -> bool:
    return bool(_QUANTITY.fullmatch(token)) or token in _UNITS


@lru_cache(maxsize=65_536)
def is_prose(token: str) -> bool:
    """A word about what happened, a joining word, an amount, or one with an ending that substances do not have."""
    listed = token in CUES or token in JOINS or token in _LEADS or token in REMARKS
    return listed or is_quantity(token) or bool(_ENDING.fullmatch(token))


def separates(gap: str) -> bool:
    """Punctuation that ends one entry of a list."""
    return bool(_SEPARATOR.search(gap))


def is_lead(token: str) -> bool:
    """'effects of', 'intoxication by', 'due to': after a cue, a name follows."""
    return token in _LEADS
