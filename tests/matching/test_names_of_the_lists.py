"""The project's own lists: names that reach an early-warning service, each with what it must come out as.

One line: what it is, a colon, the spellings. `?class` is the naming queue with that class, `?` the queue without one,
`=status` a result, `#class` a class.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from ewarn.catalogue.definitions import ClassDefinition, ResultsDefinition
from ewarn.matching import Matcher

FOLDER = Path(__file__).resolve().parents[2] / "sources" / "substances"

CELLS = r"""
isotonitazene: Isotonitazene; isotonitazine; iso-tonitazene; ISOTONITAZENE HCl; Isotonitazen; isotonitazene (trace)
metonitazene: Metonitazene; metonitazine; Metonitazene hydrochloride; métonitazène; Metonitazen; metonitazene citrate
protonitazene: protonitazine; Protonitazene; propoxynitazene; Protonitazene (suspected); PROTONITAZENE
etonitazene: etonitazene; Etonitazine; etonitazen
butonitazene: butonitazene; butoxynitazene
fluetonitazene: fluetonitazene; Fluoetonitazene
n-desethyl-isotonitazene: N-desethyl isotonitazene; N‑desethylisotonitazene; n desethyl isotonitazene
n-desethyl-isotonitazene: desethyl-isotonitazene
n-desethyl-isotonitazene: norisotonitazene; N-Desethyl-isotonitazene HCl; N–desethyl isotonitazene
n-desethyl-isotonitazene: N—Desethyl Isotonitazene
n-desethyl-etonitazene: N-desethyl etonitazene; desethyletonitazene; N-Desethyletonitazen
n-pyrrolidino-etonitazene: etonitazepyne; N-pyrrolidino etonitazene; N-Pyrrolidino-etonitazene
n-pyrrolidino-etonitazene: N-pyrrolidinyl etonitazene
n-pyrrolidino-etonitazene: Etonitazepyne (N-pyrrolidino etonitazene); pyrrolidino etonitazene; NPE
n-pyrrolidino-protonitazene: protonitazepyne; N-pyrrolidino protonitazene; N-Pyrrolidinoprotonitazene
n-pyrrolidino-metonitazene: metonitazepyne; N-pyrrolidino metonitazene
n-pyrrolidino-isotonitazene: isotonitazepyne; N-pyrrolidino isotonitazene
n-piperidinyl-etonitazene: etonitazepipne; N-piperidinyl etonitazene; N-piperidino etonitazene
etodesnitazene: etodesnitazene; etazene; Etazen
metodesnitazene: metodesnitazene; metazene
n-n-dimethyl-etonitazene: N,N-dimethyl etonitazene; N,N-dimethyletonitazene; N, N-dimethyl etonitazene
n-n-dimethyl-etonitazene: dimethyletonitazene
aminoisotonitazene: 5-aminoisotonitazene; 5-amino isotonitazene
methylenedioxynitazene: methylenedioxynitazene; 3',4'-methylenedioxynitazene; 3′,4′-Methylenedioxynitazene
ethyleneoxynitazene: ethyleneoxynitazene
?nitazene: N-propyl metonitazene; 4-fluoro-etonitazene; Neonitazene; Cyclonitazene; novelnitazene; xylonitazepyne
?nitazene: brevonitazepipne; 6-chloro isotonitazene; isotonitazene glucuronide; acetyl metonitazene
brorphine: brorphine; Brorphin; brorphine HCl; BRORPHINE
chlorphine: chlorphine; chlororphine
cychlorphine: cychlorphine; cychlorfine; N-propionitrile chlorphine; cyclorphine; Cychlorphin
cychlorphine: N-propionitrile-chlorphine
spirochlorphine: spirochlorphine; R-6890; R6890; spiro-chlorphine
sr-17018: SR-17018; SR17018; SR 17018; 5,6-dichloro desmethylchlorphine; 5,6-Dichloro-desmethylchlorphine
sr-17018: 5,6‐dichloro desmethyl chlorphine; SR–17018
orphine-compound: unsubstituted orphine; orphine (the compound)
fluorphine: fluorphine
5-chloro-desmethylchlorphine: 5-chloro desmethylchlorphine
?orphine: N-methyl brorphine; difluorobrorphine
morphine: Morphine; morphine sulphate; morphine sulfate; Morphin; morphine (free); MORPHINE HCl
buprenorphine: buprenorphine; Buprenorphine hydrochloride; bupernorphine
norbuprenorphine: norbuprenorphine
apomorphine: apomorphine; apomorphine hydrochloride
hydromorphone: hydromorphone
desomorphine: desomorphine
nalbuphine: nalbuphine
heroin: heroin; Diamorphine; diacetylmorphine; heroin hydrochloride; Heroine; diamorphine HCl; Heroin base
6-mam: 6-MAM; 6MAM; 6 MAM; Morphine, 6 Monoacetyl; 6-monoacetylmorphine; 6-acetylmorphine; O6-monoacetylmorphine; 6-AM
morphine-3-glucuronide: morphine-3-glucuronide; M3G
codeine: codeine; Codeine phosphate; codein
dihydrocodeine: Dihydrocodeine; dihydrocodeine tartrate; dihydrocodeine bitartrate
methadone: methadone; Methadone hydrochloride; methadon; d,l-methadone; (R)-methadone; R/S-methadone; R,S-methadone
eddp: EDDP
tramadol: tramadol; Tramadol HCl; (±)-cis-tramadol
o-desmethyltramadol: O-desmethyltramadol; O-DSMT
oxycodone: oxycodone; Oxycodon; oxycodone hydrochloride
fentanyl: fentanyl; Fentanyl citrate; fentanyl HCl; d5-fentanyl; fentanyl-d5; 13C6-fentanyl; [13C6]-fentanyl
fentanyl: Fentanyl-D5; fentanil
norfentanyl: norfentanyl; nor-fentanyl; norfentanyl oxalate
carfentanil: carfentanil; carfentanyl; Carfentanil oxalate
acetylfentanyl: acetylfentanyl; acetyl fentanyl; Acetyl-fentanyl
para-fluorofentanyl: para-fluorofentanyl; p-fluorofentanyl; 4-fluorofentanyl; parafluorofentanyl
para-fluorofentanyl: para fluoro fentanyl; pFF
para-fluorofentanyl: para-Fluorofentanyl HCl; p-Fluoro fentanyl
ortho-fluorofentanyl: ortho-fluorofentanyl; o-fluorofentanyl; 2-fluorofentanyl
4-anpp: 4-ANPP; 4ANPP; despropionyl fentanyl; despropionylfentanyl
beta-hydroxyfentanyl: β-hydroxyfentanyl; beta-hydroxy fentanyl; β-Hydroxy Fentanyl
alpha-methylfentanyl: α-methylfentanyl; alpha-methyl fentanyl
3-methylfentanyl: 3-methylfentanyl; (±)-3-methylfentanyl
cis-3-methylfentanyl: cis-3-methylfentanyl; (±)-cis-3-methylfentanyl
4-fluoroisobutyrylfentanyl: FIBF; para-fluoroisobutyryl fentanyl; 4-fluoroisobutyryl fentanyl
cyclopropylfentanyl: cyclopropylfentanyl; cyclopropyl fentanyl
?fentanyls: trimethylsilyl fentanyl; 7-fluorofentanyl; chlorophenyl acetylfentanyl; newfentanyl
?fentanyls: acetyl benzyl carfentanil
u-47700: U-47700; U47700; U-47,700; U 47700
2-methyl-ap-237: 2-methyl AP-237; 2-methyl-AP-237; 2-Methyl AP237; 2‑methyl‑AP‑237; 2-MAP-237
ap-237: AP-237; bucinnazine
ap-238: AP-238
mt-45: MT-45
ah-7921: AH-7921
tianeptine: tianeptine; tianeptine sodium; Tianeptine sulfate
bromazolam: bromazolam; bromazolom; Bromazolan; Bromazolam (major); BROMAZOLAM
ethylbromazolam: ethylbromazolam; ethyl bromazolam; ethyl-bromazolam
etizolam: etizolam; Etizolam
flualprazolam: flualprazolam
flubromazepam: flubromazepam
diazepam: diazepam; Diazepam 10mg; diazepan
nordiazepam: nordiazepam; nordazepam; N-desmethyldiazepam; desmethyldiazepam
desalkylgidazepam: desalkylgidazepam; bromonordiazepam; Desalkyl gidazepam
alprazolam: alprazolam; alprazolan
alpha-hydroxyalprazolam: α-hydroxyalprazolam; alpha-hydroxyalprazolam
7-aminoclonazepam: 7-aminoclonazepam; 7-amino clonazepam
4-chlorodiazepam: 4'-chlorodiazepam; 4′-chlorodiazepam; Ro5-4864
?benzodiazepine: methylbromazolam; difluoroalprazolam; nitroxazolam; bretazepam
xylazine: xylazine; Xylazine hydrochloride; xylazin; Xylazine HCl; xilazine
medetomidine: medetomidine; medetomidin
dexmedetomidine: dexmedetomidine; dexmedetomidine hydrochloride
btmps: BTMPS; bis(2,2,6,6-tetramethyl-4-piperidyl) sebacate; Bis(2,2,6,6-tetramethyl-4-piperidyl)sebacate; Tinuvin 770
cocaine: cocaine; Cocaine HCl; cocaine hydrochloride; cocaine base; Kokain; cocaïne; Cocaine 80%; cocaína
cocaine: crack cocaine
benzoylecgonine: benzoylecgonine; BZE
cocaethylene: cocaethylene
levamisole: levamisole; tetramisole; levamisole HCl; (-)-levamisole
phenacetin: phenacetin
caffeine: caffeine; Caffeine anhydrous; Koffein; caffeine citrate; Caffein
paracetamol: paracetamol; acetaminophen; Parasetamol; paracétamol
mdma: MDMA; mdma; MDMA HCl; 3,4-methylenedioxymethamphetamine; 3,4-MDMA; (±)-MDMA; R/S-MDMA; (S)-MDMA; MDMA.HCl
mda: MDA; mda; 3,4-methylenedioxyamphetamine
amphetamine: amphetamine; amfetamine; amphetamine sulphate; D-amphetamine; dexamfetamine; dl-amphetamine
amphetamine: (+)-amphetamine
methamphetamine: methamphetamine; metamfetamine; methylamphetamine; d-methamphetamine; (S)-(+)-methamphetamine
4-fluoroamphetamine: 4-fluoroamphetamine; 4-FA; 4FA; 4F-amphetamine
ketamine: ketamine; S-ketamine; (S)-ketamine; Esketamine; R-ketamine; ketamine HCl; Ketamin; (±)-ketamine
ketamine: (S)-(+)-ketamine
2-fluorodeschloroketamine: 2-FDCK; 2F-DCK; 2-fluorodeschloroketamine; 2-fluoro deschloroketamine
deschloroketamine: deschloroketamine; DCK
3-meo-pcp: 3-MeO-PCP; 3-methoxy-PCP; 3-methoxyphencyclidine; 3 MeO PCP
mephedrone: mephedrone; 4-MMC; 4-methylmethcathinone; 4MMC; Mephedron
3-methylmethcathinone: 3-MMC; 3-methylmethcathinone; 3MMC
4-chloromethcathinone: 4-CMC; 4-chloromethcathinone; clephedrone
3-chloromethcathinone: 3-CMC; 3-chloromethcathinone
dipentylone: dipentylone; N,N-dimethylpentylone; N,N-Dimethyl pentylone; N, N-dimethylpentylone; dimethylpentylone
pentylone: pentylone
ephylone: N-ethylpentylone; ephylone; ethylpentylone; N-ethyl pentylone
eutylone: eutylone; N-ethylbutylone
alpha-pvp: α-PVP; alpha-PVP; a-PVP; alpha PVP; alpha-pyrrolidinopentiophenone; αPVP
alpha-php: α-PHP; alpha-PHP; a-PHP; α‑PHP
alpha-pihp: α-PiHP; alpha-PiHP; a-PiHP
4-fluoro-alpha-pvp: 4F-α-PVP; 4-fluoro-alpha-PVP; 4-F-α-PVP; 4F-alpha-PVP
4-chloro-alpha-pvp: 4-Cl-α-PVP; 4-chloro-alpha-PVP; 4Cl-α-PVP
4-methyl-alpha-php: 4'-methyl-α-PHP; MPHP; 4′-Methyl-α-PHP
mdpv: MDPV; 3,4-methylenedioxypyrovalerone
mdphp: MDPHP; 3',4'-methylenedioxy-α-pyrrolidinohexanophenone
n-cyclohexylmethylone: N-cyclohexyl methylone; N-cyclohexylmethylone
5f-adb: 5F-ADB; 5-fluoro-ADB; 5F-MDMB-PINACA; 5-fluoro MDMB-PINACA; 5F ADB; 5FADB; 5-F-ADB
mdmb-4en-pinaca: MDMB-4en-PINACA; MDMB-4en PINACA; MDMB‑4en‑PINACA; mdmb 4en pinaca; MDMB-4-en-PINACA
adb-butinaca: ADB-BUTINACA; ADBB; ADB-BINACA; ADB BUTINACA; adb‐butinaca
adb-4en-pinaca: ADB-4en-PINACA
mdmb-inaca: MDMB-INACA
4f-mdmb-binaca: 4F-MDMB-BINACA; 4F-MDMB-BUTINACA; 4-fluoro-MDMB-BINACA; 4-fluoro MDMB-BUTINACA
5f-mdmb-pica: 5F-MDMB-PICA; 5-fluoro-MDMB-PICA; 5F-MDMB-2201
adb-5-br-butinaca: ADB-5'Br-BUTINACA; ADB‑5′Br‑BUTINACA; ADB-5’Br-BUTINACA
amb-fubinaca: AMB-FUBINACA; FUB-AMB; MMB-FUBINACA
cumyl-pegaclone: CUMYL-PEGACLONE; Cumyl-PeGACLONE
jwh-018: JWH-018; JWH018; JWH 018
ch-piata: CH-PIATA
?synthetic-cannabinoid: ADB-XYINACA; 6F-MDMB-HEPTINACA; EDMB-NOVINACA
tetrahydrocannabinol: THC; Δ9-THC; delta-9-THC; D9-THC; Δ⁹-THC; delta-9-tetrahydrocannabinol
delta-8-thc: Δ8-THC; delta-8-THC
thc-cooh: THC-COOH; 11-nor-9-carboxy-THC
hexahydrocannabinol: HHC; hexahydrocannabinol
cannabidiol: CBD; cannabidiol
lsd: LSD; lysergic acid diethylamide; LSD-25
1p-lsd: 1P-LSD; 1p-LSD
2c-b: 2C-B; 2CB; 2-CB; 2cb
dob: DOB
doi: DOI
dmt: DMT; N,N-DMT; N,N-dimethyltryptamine
5-meo-dmt: 5-MeO-DMT; 5-methoxy-DMT; 5-methoxy-N,N-dimethyltryptamine
psilocybin: psilocybin; Psilocybine
psilocin: psilocin; 4-HO-DMT
ghb: GHB; gamma-hydroxybutyrate; γ-hydroxybutyrate; gamma hydroxybutyric acid
gamma-butyrolactone: GBL; γ-butyrolactone; gamma-butyrolactone
1-4-butanediol: 1,4-butanediol; 1,4-BD; Butane-1,4-diol
nitrous-oxide: nitrous oxide; N2O
pregabalin: pregabalin; Pregablin
gabapentin: gabapentin
zopiclone: zopiclone; zopicolone
quetiapine: quetiapine; Quetiapine fumarate
mirtazapine: mirtazapine; mirtazepine
promethazine: promethazine; promethazine hydrochloride
alcohol: ethanol; alcohol; ethyl alcohol
testosterone-propionate: testosterone propionate
sildenafil: sildenafil; sildenafil citrate
nandrolone: nandrolone
lidocaine: lidocaine; lignocaine; lidocaine HCl
#opioid: opioid; opioids; opiates
#nitazene: nitazene; nitazenes
#benzodiazepine: benzodiazepine; benzodiazepines; benzo
#fentanyls: fentanyl analogue; fentanyl analogues
#synthetic-cannabinoid: synthetic cannabinoid; SCRA
#nitazene: metonitazene analogue
#stimulant: amphetamine derivative
=no-active-component: No Active Component Identified; no active component; None detected
=no-active-component: Dim cydran weithredol wedi'i nodi
=no-active-component: No controlled drugs detected; Nothing detected; Kein Wirkstoff nachgewiesen
=unable-to-identify: Unable to identify; Unable To Identify; Unidentified; Could not be identified
=unable-to-identify: Methu adnabod; Anhysbys
=unable-to-identify: Unknown substance; Inconclusive; unable to identify - see notes
=insufficient-sample: Unknown (insufficient sample for further analysis); insufficient sample; Sampl annigonol
=insufficient-sample: Received wet, insufficient sample
=pending: Pending; Toxicology pending; Awaiting analysis; results pending; Yn aros am ganlyniad
=not-tested: Not analysed; Sample not received
=not-stated: Not stated; None
=ruled-out: no fentanyl detected; fentanyl not detected; negative for metonitazene; no nitazenes or xylazine found
?: Purple Thing 7; Florbinol; meth; speed; ice; spice; crack; K; E; heroinx; xheroin; cocainee; morphinexyz
?: Blue Mystery
?stimulant: cocaine glucuronide
?opioid: morphine oxide; ethyl codeine
?dissociative: 4-nitro ketamine
"""


def cases() -> list[tuple[str, str]]:
    found = []
    for line in CELLS.strip().splitlines():
        expected, _, names = line.partition(": ")
        found += [(name.strip(), expected.strip()) for name in names.split("; ") if name.strip()]
    return found


@pytest.fixture(scope="session")
def listed() -> Matcher:
    paths = [path for path in sorted(FOLDER.glob("*.toml")) if not path.stem.startswith("_")]
    classes = [ClassDefinition.model_validate({"id": path.stem} | tomllib.loads(path.read_text())) for path in paths]
    results = ResultsDefinition.model_validate(tomllib.loads((FOLDER / "_results.toml").read_text()))
    return Matcher(classes, results.statuses)


def outcome(kind: str, subject: str | None, class_id: str | None) -> str:
    if kind == "queued":
        return f"?{class_id or ''}"
    return {"class": "#", "status": "="}.get(kind, "") + (subject or "")


def test_the_table_is_wide() -> None:
    assert len(cases()) >= 300 and len({name for name, _ in cases()}) >= len(cases()) - 5


@pytest.mark.parametrize(("name", "expected"), cases(), ids=lambda word: word.replace(" ", "_"))
def test_a_name_comes_out_as_what_it_is(listed: Matcher, name: str, expected: str) -> None:
    (one,) = listed.mentions(name, whole=True)
    assert outcome(one.kind.value, one.subject, one.class_id) == expected


# The words of coroners and certificates: what they name, in order, or the status where they name nothing.
CAUSES = [
    ("multi drug toxicity including heroin, cocaine and pregabalin", "heroin cocaine pregabalin"),
    ("1a combined effects of heroin, cocaine and N-desethyl isotonitazene", "heroin cocaine n-desethyl-isotonitazene"),
    ("Acute intoxication due to the combined effects of fentanyl, xylazine, and 4-ANPP", "fentanyl xylazine 4-anpp"),
    ("Ia Mixed drug toxicity (methadone, alprazolam & bromazolom)", "methadone alprazolam bromazolam"),
    ("Acute para-Fluorofentanyl/Fentanyl intoxication", "para-fluorofentanyl fentanyl"),
    ("Hypertensive heart disease complicating cocaine use", "cocaine"),
    ("Hypertensive and atherosclerotic cardiovascular disease", "=no-substance-named"),
    ("Diabetic ketoacidosis", "=no-substance-named"),
    ("Drowning", "=no-substance-named"),
    ("Bronchopneumonia due to chronic obesity, with a history of epilepsy", "=no-substance-named"),
    ("Acute loperamide intoxication", "loperamide"),
    ("Acute florbinol intoxication", "?"),
    ("Combined effects of fentanyl, florbinol and cocaine", "fentanyl ? cocaine"),
    ("Toxicity of protonitazine and metonitazine", "protonitazene metonitazene"),
    ("Toxic effects of cychlorfine, with chronic alcohol misuse", "cychlorphine alcohol"),
    ("Acute 1,1-difluoroethane toxicity", "1-1-difluoroethane"),
    ("Intoxication by 2-ethyl-3-propanol", "?"),
    ("Combined effects of heroin and spice", "heroin ?"),
    ("combined effects of mda, ketamine and alcohol", "mda ketamine alcohol"),
    ("Morphine, 6 Monoacetyl and codeine toxicity", "6-mam codeine"),
    ("Opiate toxicity complicating chronic obstructive pulmonary disease", "#opioid"),
    ("neither heroin nor fentanyl", "heroin fentanyl"),
    ("He was a hero in the town; cocaine toxicity", "cocaine"),
    ("Cocaine toxicity. No fentanyl, heroin or xylazine detected.", "cocaine"),
    ("U-47700 and fluoroisobutyryl fentanyl toxicity", "u-47700 fluoroisobutyrylfentanyl"),
    ("Gwenwyno gan heroin a diazepam", "heroin diazepam"),
    ("Mischintoxikation mit Heroin, Kokain und Etonitazepyne", "heroin cocaine n-pyrrolidino-etonitazene"),
    ("Surdose de fentanyl et de métonitazène", "fentanyl metonitazene"),
    ("Complications of a fall; Parkinson disease; COVID-19", "=no-substance-named"),
    ("Recent use of cannabis, tramadol and zopiclone", "cannabis tramadol zopiclone"),
]


@pytest.mark.parametrize(("text", "expected"), CAUSES)
def test_a_cause_of_death_names_what_it_names_and_nothing_else(listed: Matcher, text: str, expected: str) -> None:
    found = [outcome(m.kind.value, m.subject, m.class_id) for m in listed.in_cell(text, in_prose=True)]
    assert found == expected.split()


# Notices: nothing that is only a word, a street word or an abbreviation.
NOTICES = [
    ("Speed limits on the ice road; spice rack on offer; E numbers and vitamin K for the cat.", ""),
    (
        "Alert: tablets sold as oxycodone found to contain N-desethyl isotonitazene and 2-methyl AP-237.",
        "oxycodone n-desethyl-isotonitazene 2-methyl-ap-237",
    ),
    ("DOI: 10.15585/mmwr.mm7003 DOB 1/2/1980, DOC custody, MET police, CBC and PEG tube.", ""),
    ("Codeine linctus; the methadone programme; a morphine pump.", "codeine methadone morphine"),
    ("brorphane and cychlorfine were found in vapes", "?orphine cychlorphine"),
    ("a new opioid, cyklorphine, was identified", "#opioid ?orphine"),
    ("metonitazane has been reported", "?nitazene"),
    ("The heroine of the film; chlorine in pools; endorphins; fluoride; morphing; dolphins; orphans.", ""),
    ("Nitazenes (e.g. isotonitazene) are opioids", "#nitazene isotonitazene #opioid"),
    ("at 2 MA students; room 4 CA; vitamin B; type 2 FA cup", ""),
    ("Contains 3-MMC, 2-FMA and 5F-ADB, not MDMA", "3-methylmethcathinone 2-fluoromethamphetamine 5f-adb"),
    ("fentanyl-like opioid carfentanil", "fentanyl #opioid carfentanil"),
    ("Buprenorphine, apomorphine and hydromorphone are not orphines.", "buprenorphine apomorphine hydromorphone"),
    ("Bethany, Methodist, Amphitheatre, cocainesque, morphinelike, xketamine", ""),
]


@pytest.mark.parametrize(("text", "expected"), NOTICES)
def test_a_notice_names_what_it_names_and_nothing_else(listed: Matcher, text: str, expected: str) -> None:
    found = [outcome(m.kind.value, m.subject, m.class_id) for m in listed.mentions(text, whole=False)]
    assert found == expected.split()


# A laboratory's cell that is a list after all: every name in it, what is unknown beside it in the queue.
LISTS = [
    ("Heroin, cocaine and caffeine", "heroin cocaine caffeine"),
    ("Fentanyl/Heroin", "fentanyl heroin"),
    ("MDMA + ketamine (trace)", "mdma ketamine"),
    ("mda; mdma", "mda mdma"),
    ("Heroin, Florbinol", "heroin ?"),
    ("Metonitazene & unknownium", "metonitazene ?"),
    ("5,6-dichloro desmethylchlorphine, N,N-dimethyletonitazene", "sr-17018 n-n-dimethyl-etonitazene"),
    ("Morphine, 3-benzoyl", "?opioid"),
    ("Fentanyl florbinolate", "?fentanyls"),
    ("5,6-dichloro florbinol", "?"),
    ("Fentanyl X", "?fentanyls"),
    ("MDA 77", "mda-77"),
    ("chlorine", "chlorine"),
]


@pytest.mark.parametrize(("text", "expected"), LISTS)
def test_a_cell_that_is_a_list_gives_every_name(listed: Matcher, text: str, expected: str) -> None:
    found = [outcome(m.kind.value, m.subject, m.class_id) for m in listed.in_cell(text, in_prose=False)]
    assert found == expected.split()
