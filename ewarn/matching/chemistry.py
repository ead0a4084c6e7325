"""Pieces of chemical names: what may stand before or after a listed name, and the other ways to spell a listed one.

In: words. Out: yes or no, and spellings. It knows the grammar of names, never what a substance is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ewarn.matching.text import word_set

# A salt, a hydrate or the free base is the same substance. Esters (propionate, enanthate, acetate) are not here.
SALTS = word_set(
"hydrochloride dihydrochloride monohydrochloride hcl 2hcl hydrobromide hbr hydroiodide citrate sulphate sulfate "
    "hemisulphate hemisulfate bisulphate bisulfate phosphate tartrate bitartrate hemitartrate maleate fumarate "
    "hemifumarate oxalate mesylate mesilate methanesulfonate methanesulphonate besylate besilate tosylate succinate "
    "lactate pamoate camsylate napsylate gluconate saccharate sodium disodium potassium calcium base freebase salt "
    "monohydrate dihydrate trihydrate hemihydrate hydrate anhydrous "
    "hydrochlorid citrat sulfat phosphat chlorhydrate hydroclorid")  # fmt: skip
_SALT_LEADS = {"free": "base", "dihydrogen": "citrate", "hydrogen": "tartrate"}
# A labelled standard (d5-fentanyl, fentanyl-13C6) is read as its substance.
_ISOTOPE = re.compile(r"d\d{1,2}|(?:13c|14c|15n|18o|2h|3h)\d{0,2}")
# Mirror images and racemates are read as the substance, unless a list has them under a name of their own.
_STEREO = re.compile(r"(?:\d?[rsez])+|rac|racemic|cis|trans|dl|ld|d|l|dextro|levo|endo|exo")
_STEREO_WORDS = {"rac", "racemic", "cis", "trans"}
_LOCANT = re.compile(r"\d+[a-z]?'{0,2}|[nosmp]|alpha|beta|gamma|delta|omega|ortho|meta|para")
_LOCANT_WORDS = {"alpha", "beta", "gamma", "omega", "ortho", "meta", "para"}
_GROUP = (
    r"(?:(?:meth|eth|prop|isoprop|but|isobut|pent|hex|hept|oct|phen|benz|cyclo[a-z]+|all|ac|acet|acr|butyr|isobutyr|valer"
    r"|furan|thien|thiophen|benzo|fur|propion|propano|form|crot|croton|cinnam|tolu|piper|piperidin|pyrrolidin|morphol"
    r"|tetrahydrofuran|carboxy?|carbon|sulfon|phosphor|adamant|napht?h|indol|mor?phol)(?:o?yl)?(?:idene|ene|oxy|ano)?yl"
    r"|(?:meth|eth|prop|isoprop|but|hydr|acet|phen|benz|meth[yl]*enedi|eth[yl]*enedi)oxy"
    r"|fluoro|chloro|bromo|iodo|nitro|amino|acetamido|cyano|thio|keto|oxo|aza|hydroxy|hydro|carboxy|methylene|ethylene"
    r"|pyrrolidino|piperidino|morpholino|anilino|nor|des|deschloro|desnitro|despropionyl|depropionyl|iso|cyclo|homo"
    r"|dehydro|sec|tert|mono|di|tri|tetra|bis)"
)
_GROUPS = re.compile(rf"(?:\d{{0,2}}{_GROUP})+")
_ANY_GROUP = re.compile(
    r"[a-z\d]*(?:[^\W\d]yl|fluoro|chloro|bromo|iodo|nitro|amino|idino|olino|ethoxy|ydroxy|thio|keto)"
)
# 'neither heroin nor fentanyl': with a space these are words, with a hyphen they are groups.
_SHORT_GROUPS = {"nor", "des", "di", "tri", "iso", "bis", "sec", "tert", "mono", "aza", "oxo", "homo", "form"}
_STARTS_WITH_GROUP = re.compile(rf"{_GROUP}|meth|eth|propan|butan|pentan|hexan|benz|phen")
AFTER_IS_CLASS = {
    "analogue",
    "analogues",
    "analog",
    "analogs",
    "derivative",
    "derivatives",
    "metabolite",
    "metabolites",
}
AFTER_IS_OTHER = {"glucuronide", "glucuronides", "oxide", "acid", "carbamate", "carboxylate", "carboxamide", "ester"}
JOINING = re.compile(r"[\s\-]*")
_BESIDE = re.compile(r"[\s\-()\[\]+±/,.]*")


def is_salt(token: str, following: str) -> int:
    """How many words of a salt begin here: 'hydrochloride' 1, 'free base' 2, else 0."""
    if token in SALTS:
        return 1
    return 2 if _SALT_LEADS.get(token) == following else 0


def is_isotope(token: str, gap: str) -> bool:
    return bool(_ISOTOPE.fullmatch(token)) and bool(gap.strip()) and bool(_BESIDE.fullmatch(gap))


def is_stereo(token: str, gap: str, paired: bool) -> bool:
    """'(S)-', 'R/S', 'cis-': tied to the name (or `paired`, to one that is) by more than a space, or a word."""
    if not _STEREO.fullmatch(token) or not _BESIDE.fullmatch(gap):
        return False
    return token in _STEREO_WORDS or bool(gap.strip(" " if paired else " ,"))


def is_locant(token: str) -> bool:
    return bool(_LOCANT.fullmatch(token))


def makes_another(token: str, gap: str) -> bool:
    """What stands before a listed name and makes it another substance: 'acetyl fentanyl', '2-fentanyl'.

    A number before a space only counts: '2 fentanyl pills'.
    """
    if not JOINING.fullmatch(gap):
        return False
    if _LOCANT.fullmatch(token):
        return token in _LOCANT_WORDS or "-" in gap
    if token in _SHORT_GROUPS and "-" not in gap:
        return False
    return len(token) > 1 and bool(_GROUPS.fullmatch(token) or _ANY_GROUP.fullmatch(token))


def is_position_of_a_group(tokens: list[str]) -> bool:
    """'2-methyl-2-butanol', '1,1-dichloroethane': a position and a group make it a chemical's name."""
    positions = any(token.rstrip("'").isdigit() for token in tokens)
    return positions and any(len(token) > 4 and _STARTS_WITH_GROUP.match(token) for token in tokens)


def is_group(word: str) -> bool:
    """A word made of substituents alone: 'desmethyl', 'difluoro', '4chloro'."""
    return bool(_GROUPS.fullmatch(word))


_LONG = (("f", "fluoro"), ("cl", "chloro"), ("br", "bromo"), ("i", "iodo"), ("me", "methyl"), ("et", "ethyl"),
         ("meo", "methoxy"), ("ho", "hydroxy"), ("oh", "hydroxy"), ("aco", "acetoxy"), ("no2", "nitro"))  # fmt: skip
_SHORT = (("ortho", "o"), ("meta", "m"), ("para", "p"), ("alpha", "a"), ("beta", "b"))
_REPLACED = (
    ("sulph", "sulph", "sulf"), ("sulf", "sulf", "sulph"), ("amphet", "amphet", "amfet"), ("amfet", "amfet", "amphet"),
    ("pyrrolidino", "pyrrolidino", "pyrrolidinyl"), ("piperidinyl", "piperidinyl", "piperidino"),
    ("n ", r"\bn (?=(?:desethyl|desmethyl|pyrrolidin|piperidin|butyl|cyclohexyl))", ""),
    ("n n d", "^n n (?=dimethyl|didesethyl)", ""), ("butinaca", "butinaca$", "binaca"),
    ("acryl", "acryl ?(?=fent)", "acryloyl"), ("despropionyl", "^despropionyl", "depropionyl"), ("oxy", "^oxy", "oxi"),
)  # fmt: skip
# (letters that must be there, what is replaced, by what), in this order.
_RULES = (
    *((short, re.compile(rf"(?<![a-z\d])(\d'?) ?{short}(?= |$)"), rf"\1{long}") for short, long in _LONG),
    *((long, re.compile(rf"(?<![a-z\d])(\d'?) ?{long}(?=[ a-z])"), rf"\1{short}") for short, long in _LONG),
    *((long, re.compile(rf"(?<![a-z\d]){long} ?(?=[a-z\d])"), f"{short} ") for long, short in _SHORT),
    *((part, re.compile(old), new) for part, old, new in _REPLACED),
)
_ENDINGS = (("ine", "in"), ("ene", "en"), ("one", "on"), ("ide", "id"), ("ate", "at"), ("azole", "azol"))


def variants(tokens: list[str]) -> Iterator[str]:
    """Other spellings of a listed name, run together: F for fluoro, o- for ortho, sulf for sulph, without last e."""
    written = " ".join(tokens)
    spellings = [written]
    for part, old, new in _RULES:
        if part in written:
            spellings += [changed for one in tuple(spellings) if (changed := old.sub(new, one)) != one]
    for ending, short in _ENDINGS:
        if written.endswith(ending) and len(written) > 6:
            spellings += [one.removesuffix(ending) + short for one in tuple(spellings) if one.endswith(ending)]
    for one in spellings[1:]:
        yield one.replace(" ", "")
