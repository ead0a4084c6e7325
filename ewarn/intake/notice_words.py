"""The words by which a notice says what it is: kind, harm, deception, novelty, and where abroad it speaks of.

Nothing in, tables out. Every group has a published source, named beside it; none was taken from the items the words are
measured on. Substances are not here: they are content (sources/substances).
"""

from __future__ import annotations

import re
from dataclasses import dataclass


def _any(*words: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(words)})(?!\w)", flags)


@dataclass(frozen=True)
class Words:
    """One pattern a group; tests leave groups out one by one."""

    announces: re.Pattern[str]
    names_drugs: re.Pattern[str]
    harm: re.Pattern[str]
    overdose: re.Pattern[str]
    taken: re.Pattern[str]
    deception: re.Pattern[str]
    novelty: re.Pattern[str]
    potency: re.Pattern[str]
    background: re.Pattern[str]
    studies: re.Pattern[str]
    inquest: re.Pattern[str]
    product: re.Pattern[str]
    infection: re.Pattern[str]
    withdrawn: re.Pattern[str]
    withdrawn_title: re.Pattern[str]
    updated: re.Pattern[str]


NEVER = re.compile(r"(?!)")
_OVERDOSE = r"overdos(?:e[sd]?|ing)(?! (?:prevention|awareness|response|training|kits?))"
_NOTICE = r"(?:alert|notice|warning|advisory|bulletin|message)"
_GONE = r"(?:withdrawn|cancel?led|rescinded|retracted|revoked|stood down|lifted)"

WORDS = Words(
    # Message types of the CDC Health Alert Network (cdc.gov/han) and of CAP 1.2 (OASIS, 2010); national patient safety
    # alerts (gov.uk, 'Changes to MHRA drug alert titles and categories').
    announces=_any(
        r"alerts?", r"warn(?:s|ed|ing|ings)?", r"advisory", r"urgent(?:ly)?", r"caution", r"beware", r"be aware",
        r"do not (?:take|use|buy)", r"dangerous",
    ),
    # PHE, 'Drug alerts and local drug information systems' (2016), calls its messages drug alerts.
    names_drugs=_any(
        r"(?:public health )?drugs? (?:alerts?|warnings?)", r"LDIS", r"local drug information system",
        r"(?:illicit|illegal|street|party|recreational|contaminated|adulterated) drugs?", r"drug[- ]related",
        r"drug (?:deaths?|harms?|poisonings?)",
        r"(?:fake|counterfeit|ecstasy|street) (?:pills?|tablets?|vapes?|medicines?)",
        r"people who use drugs",
    ),
    # ICD-10 T36-T50 (poisoning, toxic effect) and F11-F19 (intoxication, withdrawal state, seizures); entry criterion
    # 'acute medical harm' of PHE 2016.
    harm=_any(
        _OVERDOSE, r"deaths?", r"died", r"dead", r"fatal(?:ly|ities)?", r"poison(?:ed|ings?)",
        r"intoxicat(?:ed|ions?)", r"toxic(?:ity)? effects?", r"hospitali[sz](?:ed|ations?)",
        r"(?:admitted|taken|rushed|sent|brought) to (?:hospital|A&E)",
        r"in (?:hospital|intensive care)", r"(?:patients|people|admissions|attendances) (?:in|to|at) A&E",
        r"collaps(?:e[sd]?|ing)", r"unconscious(?:ness)?", r"unresponsive", r"los(?:t|ing|s of) consciousness",
        r"pass(?:ed|ing) out", r"stopped breathing", r"not breathing",
        r"respiratory (?:depression|arrest|failure)",
        r"cardiac arrests?", r"severe (?:illness(?:es)?|bleeding|sedation|toxicity|harms?)", r"serious harms?",
        r"(?:taken|fell|fall|fallen|became|become|seriously) (?:ill|unwell)",
        r"adverse (?:events?|reactions?|effects?)",
        r"withdrawal (?:syndromes?|symptoms?|states?|cases|in|among)", r"acute withdrawals?", r"exposures?",
        r"non-?fatal",
    ),
    overdose=_any(_OVERDOSE, r"drug[- ](?:related )?(?:deaths?|poisonings?)"),
    # How drugs are taken, by the routes of administration of the EMCDDA's treatment demand indicator.
    taken=_any(
        r"(?:after|from|by|having|been|through) (?:using|taking|taken|smoking|vaping|injecting|sniffing|snorting"
        r"|inhaling|swallowing|eating)",
        r"(?:was|were|been) (?:given|administered) naloxone", r"naloxone (?:was|had|reversed|brought)",
    ),
    # Entry criterion 'misleading branding, or contamination' of PHE 2016; falsified medicines (WHO, 2017).
    deception=_any(
        r"counterfeit(?:ed)?", r"fake", r"falsified", r"bogus", r"adulterat\w+", r"contaminat\w+", r"laced",
        r"cut with",
        r"mis-?sold", r"sold as", r"passed off as", r"purport(?:ed|edly|ing)(?: to be)?", r"marketed as",
        r"disguised as",
        r"(?:who |they )?thought (?:they were|it was|to be)", r"believed to be", r"mislabell?ed", r"masquerading as",
        r"in place of", r"instead of", r"unknowingly", r"undeclared", r"tainted",
    ),
    # Entry criterion 'new drug' of PHE 2016; EMCDDA early-warning system (detected, identified, emergence, formal
    # notification).
    novelty=_any(
        r"detect(?:ed|ions?)", r"identifi(?:ed|cation)", r"found (?:in|to)", r"emerg(?:ed|ing|ence)",
        r"first(?: time)?",
        r"clusters?", r"outbreaks?", r"new(?:ly)?", r"circulating", r"in circulation", r"linked (?:to|with)",
        r"implicated",
        r"in(?:crease|creas)(?:d|s|ing)?", r"spike", r"influx", r"rapid", r"rising", r"surge",
    ),
    # Entry criterion 'spike in purity or strength' of PHE 2016.
    potency=_any(
        r"(?:highly |extremely |very |unusually )?potent", r"high(?:er)?[- ](?:strength|dose|purity|potency)",
        r"(?:unusually|very|extremely|super)[- ]?strong", r"stronger than (?:usual|expected|normal)", r"purity",
    ),
    # Report series of MMWR (cdc.gov/mmwr, instructions for authors), document types of GOV.UK ('How to publish on
    # GOV.UK'), and what studies are called in both. A coroner's report on a past death is background by its nature.
    background=re.compile(
        r"^(?:accredited official statistics|official statistics|national statistics|statistics|statutory guidance"
        r"|guidance|research(?: and analysis)?|transparency data|corporate report|policy paper"
        r"|(?:open |closed )?consultation|independent report|impact assessment|foi release|speech"
        r"|promotional material|form|collection|news story)\s*:"
        r"|\b(?:quickstats|vital signs|surveillance summar(?:y|ies)|recommendations and reports|supplement"
        r"|errat(?:um|a)"
        r"|notices? to readers|(?:prevention of|prevent) future deaths?|coroner.?s.? report|regulation 28"
        r"|PFD report)\b",
        re.IGNORECASE,
    ),
    # What studies, reviews and offices call their papers. A title that announces itself as a warning outweighs them.
    studies=re.compile(
        r"\b(?:announcements?|guidance|recommendations|preparedness|toolkit|webinar|funding|stud(?:y|ies)|review of"
        r"|trends?"
        r"|prevalence|statistics|surveys?|surveillance system|cohort|risk factors?|factors associated|association of"
        r"|costs?|(?:death|mortality|overdose|incidence|age-adjusted)[\w ]{0,20} rates?|rates? of|percentage of"
        r"|proportion of|characteristics of|evaluati(?:on|ng)|(?<!checking )(?<!testing )program(?:me)?s?|polic(?:y"
        r"|ies)"
        r"|prescribing|prescriptions|dispens(?:ed|ing)|guidelines?|strategy|action plan|annual (?:report|review)"
        r"|minutes of|conference|awareness (?:day|week|month)|systematic review|by (?:age|sex|race|ethnicity|state"
        r"|region|occupation|industry|year|urbanization|(?:selected )?(?:socio)?demographic)|attitudes|lessons"
        r"|legislation|prosecut\w+|sentenced|jailed|(?:new|latest|quarterly|monthly) (?:report|figures|data)"
        r"|case (?:reports?|series)|post-?mortem examination|in vivo|in vitro"
        r"|deaths? related to drug (?:poisoning|misuse)|drug deaths? in (?:England|Scotland|Wales|Northern Ireland"
        r"|the UK))\b", re.IGNORECASE,
    ),
    # Chief Coroner's guidance no. 41 and what courts do: an inquest speaks of a death long past.
    inquest=_any(
        r"inquests? (?:has |have |was |were )?(?:heard|told|concluded|found|opened|held|into|ruled)",
        r"coroner (?:\w+ \w+ )?(?:has )?(?:called|calls|concluded|ruled|wrote|writes|urged|found)",
    ),
    # MHRA's titles for defects of licensed products, which are no drug alerts in the sense of PHE 2016.
    product=_any(
        r"class [1-4] (?:medicines?|drug)", r"drug alert:? class [1-4]", r"company[- ]led",
        r"medicines? (?:recall|notification|defect)",
        r"field safety notices?", r"device safety information", r"drug safety update", r"recalls?",
    ),
    # WHO ICD-10 chapter I by its commonest headings: an outbreak of these is no drug alert, whoever fell ill.
    infection=_any(
        r"HIV", r"hepatitis", r"botulism", r"tetanus", r"anthrax", r"infections?", r"infectious", r"virus", r"viral",
        r"bacteri\w+", r"vaccin\w+", r"immuni[sz]\w+", r"measles", r"influenza", r"COVID(?:-19)?",
        r"tubercul\w+", r"syphilis",
        r"mpox", r"cholera", r"candida", r"salmonell\w*", r"legionn?ell?a\w*", r"staphylococc\w+", r"streptococc\w+",
    ),
    # CAP 1.2 'Cancel'; LDIS practice 'stand down'. Said of a notice, never of what people suffer.
    withdrawn=re.compile(
        rf"\b{_NOTICE}s?\b[^.;]{{0,60}}?\b(?:{_GONE}|no longer (?:applies|valid|current|in force|stands|active))\b"
        rf"|\b(?:withdrawal|cancellation|withdrawing|rescinding|standing down) of (?:the |this |an? |our )?"
        rf"(?:[\w-]+ ){{0,2}}{_NOTICE}"
        rf"|\b(?:withdraws?|rescinds?|cancels?|stands? down)\b[^.;]{{0,30}}\b{_NOTICE}", re.IGNORECASE,
    ),
    withdrawn_title=re.compile(
        rf"\bstood down\b|\brescinded\b|\bstand(?:ing)?[- ]down\b|^\W*{_GONE}\s*[:\-\u2013\u2014]"
        r"|\bno longer\b[^.;]{0,20}\b(?:a |any )?(?:risk|threat|concern|in circulation|circulating)\b", re.IGNORECASE,
    ),
    # CAP 1.2 'Update'; CDC HAN 'Health Update'.
    updated=re.compile(
        rf"^\W*(?:further |interim |health )?updated?\b|\bupdated?\s*(?:\d+|[:\u2013\u2014(\[]|{_NOTICE})"
        rf"|\({{0,1}}updated?\)|\b(?:health|further|alert|case|situation) update\b"
        rf"|\b(?:further|in addition) to (?:our|the|last|yesterday)[^.;]{{0,40}}{_NOTICE}"
        rf"|\b(?:updates|replaces|supersedes) (?:our|the|last|previous|earlier)[^.;]{{0,40}}{_NOTICE}"
        rf"|\bupdate (?:to|on) (?:our|the|an?)[^.;]{{0,40}}{_NOTICE}|\b(?:revised|amended"
        rf"|corrected) (?:[\w-]+ )?{_NOTICE}"
        rf"|\bthis is an update\b", re.IGNORECASE,
    ),
)  # fmt: skip

# ---------------------------------------------------------------- abroad (ISO 3166 and its subdivisions)

_STATES = (
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho|Illinois"
    "|Indiana"
    "|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri|Montana"
    "|Nebraska"
    "|Nevada|New Hampshire|New Jersey|New Mexico|New York|North Carolina|North Dakota|Ohio|Oklahoma|Oregon|Pennsylvania"
    "|Rhode Island|South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington State|West Virginia"
    "|Wisconsin|Wyoming|District of Columbia|Puerto Rico|Guam|American Samoa|New England|Ontario|Quebec"
    "|British Columbia"
    "|Alberta|Manitoba|Saskatchewan|Nova Scotia|New Brunswick|Newfoundland|Yukon|Nunavut|New South Wales|Queensland"
    "|South Australia|Western Australia|Tasmania|Northern Territory|NSW|Australian Capital Territory|Canberra"
)
_COUNTRIES = (
    "United States(?: of America)?|U\\.S\\.A?\\.?|USA|US|Canada|Australia|New Zealand|Republic of Ireland|Ireland"
    "|France"
    "|Germany|Spain|Portugal|Italy|Belgium|Netherlands|Luxembourg|Switzerland|Austria|Denmark|Sweden|Norway|Finland"
    "|Iceland"
    "|Estonia|Latvia|Lithuania|Poland|Czechia|Czech Republic|Slovakia|Hungary|Romania|Bulgaria|Greece|Cyprus|Malta"
    "|Croatia"
    "|Slovenia|Serbia|Bosnia(?: and Herzegovina)?|Montenegro|North Macedonia|Albania|Kosovo|Ukraine|Moldova|Belarus"
    "|Russia"
    "|Turkey|T\u00fcrkiye|Armenia|Azerbaijan|Kazakhstan|Uzbekistan|Afghanistan|Pakistan|India|Bangladesh|Nepal"
    "|Sri Lanka"
    "|China|Japan|South Korea|North Korea|Taiwan|Hong Kong|Mongolia|Myanmar|Thailand|Cambodia|Laos|Vietnam|Viet Nam"
    "|Malaysia"
    "|Singapore|Indonesia|Philippines|Papua New Guinea|Iran|Iraq|Syria|Lebanon|Saudi Arabia|Yemen|Oman|Qatar|Kuwait"
    "|United Arab Emirates|Egypt|Libya|Tunisia|Algeria|Morocco|Sudan|South Sudan|Ethiopia|Eritrea|Somalia|Kenya|Uganda"
    "|Tanzania|Rwanda|Burundi|Democratic Republic of (?:the )?Congo|Congo|Cameroon|Nigeria|Niger|Ghana|Togo|Benin"
    "|Burkina Faso|Mali|Senegal|Gambia|Guinea(?:-Bissau)?|Sierra Leone|Liberia|Angola|Zambia|Zimbabwe|Malawi|Mozambique"
    "|Madagascar|Namibia|Botswana|South Africa|Lesotho|Eswatini|Mexico|Guatemala|Honduras|El Salvador|Nicaragua"
    "|Costa Rica"
    "|Panama|Cuba|Haiti|Dominican Republic|Jamaica|Colombia|Venezuela|Ecuador|Peru|Bolivia|Brazil|Chile|Argentina"
    "|Uruguay"
    "|Paraguay|Isle of Man|Guernsey|Gibraltar|Asian?|African?"
    "|South America|North America|Latin America|Caribbean|Middle East"
)
_CITIES = (
    "Chicago|Philadelphia|Pittsburgh|New York City|Los Angeles|San Francisco|San Diego|Seattle|Detroit|Baltimore"
    "|Cleveland"
    "|Houston|Dallas|Miami|Atlanta|Denver|Phoenix|Toronto|Montreal|Vancouver|Sydney|Melbourne|Brisbane|Adelaide|Hobart|Auckland|Christchurch|Ottawa|Calgary|Winnipeg"
    "|Dublin|Cork"
)
_SHORT = (
    r"A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]"
    r"|W[AIVY]|ON|BC"
    r"|NSW|QLD|Ala\.?|Ariz\.|Calif\.|Conn\.|Fla\.|Ill\.|Mass\.|Mich\.|Minn\.|N\.J\.|N\.Y\.|N\.C\.|Ont\.|Pa\.|Tenn\."
    r"|Tex\.|Va\."
    r"|Wash\.|Wis\."
)
_COMPASS = r"(?:(?:North|South|East|West|Central)(?:ern)?[- ]?(?:(?:East|West)(?:ern)?[- ])?)?"
# A subdivision abroad says that the notice speaks of there; a country may only be where something came from.
STATE = re.compile(rf"\b(?:{_STATES})\b")
ABROAD = re.compile(rf"\b{_COMPASS}(?:{_STATES}|{_COUNTRIES}|{_CITIES})(?![\w])")
_WORD = r"(?:[A-Z][\w'\u2019-]+|of|on|upon)"
# 'Birmingham, Alabama', 'Camden (New Jersey)', 'Cambridge, MA', 'London in Ontario', 'Camden County'.
TWIN = re.compile(
    rf"\b(?P<name>(?:{_WORD} ){{0,3}}?[A-Z][\w'\u2019-]+)(?: City| County)?(?:,| \(| in)\s*"
    rf"(?:(?:[A-Z][\w'\u2019-]+ ){{0,2}}?County, )?(?P<there>(?:{_STATES}|{_COUNTRIES})(?!\w)|(?:{_SHORT})(?![\w]))"
    rf"|\b(?P<county>(?:[A-Z][\w'\u2019-]+ ){{0,2}}?[A-Z][\w'\u2019-]+) (?:County|Township|Parish)\b"
    r"(?! (?:Council|Court|Cricket|Football|Hall|Hospital|Show|Durham))"
)
OURS = re.compile(
    r"\b(?:United Kingdom|UK|U\.K\.|England|Wales|Welsh|Scotland|Scottish|Northern Ireland|Britain|British|NHS|UKHSA"
    r"|OHID"
    r"|MHRA|LDIS|WEDINOS|Metropolitan Police|London Borough)\b"
)
TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Sir|Dame|Lord|Lady|Prof(?:essor)?|PC|DC|Sgt|Insp(?:ector)?|Cllr|Councillor)\.? "
    r"(?:[A-Z][\w'\u2019.-]*\s?){1,3}"
)
