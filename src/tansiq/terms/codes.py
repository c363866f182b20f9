"""The closed lists of the field. Each names its source; DOMAIN-level numbers live with the rule that uses them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tansiq.errors import Invalid


class HandlingCode(StrEnum):
    """SIENA handling codes (EU practical advisor 6243/18)."""

    H0 = "H0"
    """Prevention and combating of crime, in line with the law; always implied."""
    H1 = "H1"
    """Not to be disclosed in judicial proceedings without the provider's permission."""
    H2 = "H2"
    """Not to be disseminated without the provider's permission."""
    H3 = "H3"
    """Other restrictions: free text, which must be there."""


@dataclass(frozen=True, slots=True)
class Handling:
    """The codes set on one entry or part; `text` is required with H3 and forbidden without it."""

    codes: tuple[HandlingCode, ...]
    text: str = ""

    @classmethod
    def parse(cls, codes: list[str] | tuple[str, ...], text: str = "", field: str = "handling") -> Handling:
        """Sorted, H0 implied. Raises `Invalid` on an unknown code, or on H3 without its text."""
        try:
            found = {HandlingCode(c) for c in codes} | {HandlingCode.H0}
        except ValueError as exc:
            raise Invalid("handling.unknown", "handling codes are H0, H1, H2, H3", field=field) from exc
        if (HandlingCode.H3 in found) != bool(text.strip()):
            raise Invalid("handling.h3_text", "H3 and its text go together", field=field)
        return cls(tuple(sorted(found)), text)

    def has(self, code: HandlingCode) -> bool:
        return code in self.codes


class Basis(StrEnum):
    """LED art. 7(1): facts are told apart from personal assessments."""

    FACT = "fact"
    ASSESSMENT = "assessment"


class PersonRole(StrEnum):
    """Categories of persons, Reg. (EU) 2016/794 Annex II.B; Dir. 2023/977 art. 10(b); LED art. 6."""

    SUSP = "SUSP"
    CONV = "CONV"
    PFUT = "PFUT"
    WITN = "WITN"
    VICT = "VICT"
    CONT = "CONT"
    ASSO = "ASSO"
    INFO = "INFO"


class LogVerb(StrEnum):
    """LED art. 25(1): the processing operations that are logged."""

    COLLECT = "collect"
    ALTER = "alter"
    CONSULT = "consult"
    DISCLOSE = "disclose"
    COMBINE = "combine"
    ERASE = "erase"


class Purpose(StrEnum):
    """LED art. 1(1), split as the SIENA message types of Reg. 2016/794 art. 18(2) are."""

    PREVENTION = "prevention"
    DETECTION = "detection"
    INVESTIGATION = "investigation"
    PROSECUTION = "prosecution"
    EXECUTION = "execution_of_penalties"
    PUBLIC_SECURITY = "public_security"


class TransferBasis(StrEnum):
    """LED arts 36-38: on what ground personal data goes to a third country."""

    ADEQUACY_36 = "adequacy_36"
    BINDING_INSTRUMENT_37A = "binding_instrument_37a"
    OWN_ASSESSMENT_37B = "own_assessment_37b"
    DEROG_38A_VITAL = "derog_38a_vital"
    DEROG_38B_LEGITIMATE = "derog_38b_legitimate"
    DEROG_38C_THREAT = "derog_38c_threat"
    DEROG_38D_INDIVIDUAL = "derog_38d_individual"
    DEROG_38E_CLAIMS = "derog_38e_claims"


class UrgencyGround(StrEnum):
    """Dir. (EU) 2023/977 art. 4(4): an urgent request carries one of four grounds."""

    PUBLIC_SECURITY_THREAT = "public_security_threat"
    LIFE_OR_INTEGRITY = "life_or_integrity"
    DEPRIVATION_OF_LIBERTY = "deprivation_of_liberty"
    LOSS_OF_RELEVANCE = "loss_of_relevance"


class RefusalGround(StrEnum):
    """Dir. (EU) 2023/977 art. 6(1), and the grounds of bilateral agreements (ES-MA 2019)."""

    A_NOT_AVAILABLE = "a_not_available"
    B_REQUEST_DEFECT = "b_request_defect"
    C_JUDICIAL_REFUSED = "c_judicial_refused"
    D_DATA_CATEGORY = "d_data_category"
    E_INACCURATE = "e_inaccurate"
    F1_NATIONAL_SECURITY = "f1_national_security"
    F2_INVESTIGATION_OR_SAFETY = "f2_investigation_or_safety"
    F3_LEGAL_PERSON_INTEREST = "f3_legal_person_interest"
    G1_PENALTY_LE_1Y = "g1_penalty_le_1y"
    G2_NOT_AN_OFFENCE = "g2_not_an_offence"
    H_THIRD_PARTY_NO_CONSENT = "h_third_party_no_consent"
    SOVEREIGNTY = "sovereignty"
    SECURITY = "security"
    LEGAL_ORDER = "legal_order"
    ESSENTIAL_INTEREST = "essential_interest"


class Classification(StrEnum):
    """Council Decision 2013/488/EU, Appendix B. A node without accreditation carries no more than UNCLASSIFIED."""

    UNCLASSIFIED = "UNCLASSIFIED"
    RESTRICTED = "R-UE/EU-R"
    CONFIDENTIAL = "C-UE/EU-C"
    SECRET = "S-UE/EU-S"  # noqa: S105 # a marking
    TOP_SECRET = "TS-UE/EU-TS"  # noqa: S105 # a marking


class CrimeArea(StrEnum):
    """Reg. (EU) 2016/794 Annex I: the 30 forms of crime."""

    TERRORISM = "terrorism"
    ORGANISED_CRIME = "organised_crime"
    DRUG_TRAFFICKING = "drug_trafficking"
    MONEY_LAUNDERING = "money_laundering"
    NUCLEAR_RADIOACTIVE = "nuclear_radioactive"
    IMMIGRANT_SMUGGLING = "immigrant_smuggling"
    TRAFFICKING_HUMAN_BEINGS = "trafficking_human_beings"
    MOTOR_VEHICLE_CRIME = "motor_vehicle_crime"
    MURDER_GBH = "murder_gbh"
    HUMAN_ORGANS_TISSUE = "human_organs_tissue"
    KIDNAPPING_RESTRAINT_HOSTAGE = "kidnapping_restraint_hostage"
    RACISM_XENOPHOBIA = "racism_xenophobia"
    ROBBERY_AGGRAVATED_THEFT = "robbery_aggravated_theft"
    CULTURAL_GOODS = "cultural_goods"
    SWINDLING_FRAUD = "swindling_fraud"
    EU_FINANCIAL_INTERESTS = "eu_financial_interests"
    INSIDER_DEALING_MARKET_MANIPULATION = "insider_dealing_market_manipulation"
    RACKETEERING_EXTORTION = "racketeering_extortion"
    COUNTERFEITING_PRODUCT_PIRACY = "counterfeiting_product_piracy"
    FORGERY_ADMIN_DOCUMENTS = "forgery_admin_documents"
    FORGERY_MONEY_PAYMENT = "forgery_money_payment"
    COMPUTER_CRIME = "computer_crime"
    CORRUPTION = "corruption"
    ARMS_AMMUNITION_EXPLOSIVES = "arms_ammunition_explosives"
    ENDANGERED_ANIMALS = "endangered_animals"
    ENDANGERED_PLANTS = "endangered_plants"
    ENVIRONMENTAL_CRIME = "environmental_crime"
    HORMONAL_SUBSTANCES = "hormonal_substances"
    SEXUAL_ABUSE_EXPLOITATION_CSAM = "sexual_abuse_exploitation_csam"
    GENOCIDE_CRIMES_AGAINST_HUMANITY_WAR_CRIMES = "genocide_crimes_against_humanity_war_crimes"


CRIME_AREAS = tuple(CrimeArea)
