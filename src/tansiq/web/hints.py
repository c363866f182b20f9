"""What a choice of a closed list means, in a sentence under the choice.

Clauses as in the law; nothing is decided here.
"""

from __future__ import annotations

from tansiq.web.labels import N_

REFUSAL_HINT = {
    "a_not_available": N_("Art. 6(1)(a): neither this point of contact nor an authority of this country has it."),
    "b_request_defect": N_(
        "Art. 6(1)(b): it lacks what a request must say. Asking for a clarification stops the clock and may mend it."
    ),
    "c_judicial_refused": N_("Art. 6(1)(c): a judge had to authorise it, was asked and refused."),
    "d_data_category": N_("Art. 6(1)(d): personal data outside the categories of art. 10(b)."),
    "e_inaccurate": N_("Art. 6(1)(e): it was found to be so, and cannot be given under LED art. 7(2)."),
    "f1_national_security": N_("Art. 6(1)(f)(i): there are objective reasons that giving it would harm them."),
    "f2_investigation_or_safety": N_(
        "Art. 6(1)(f)(ii): there are objective reasons that it would put an investigation or somebody's safety at risk."
    ),
    "f3_legal_person_interest": N_("Art. 6(1)(f)(iii): it would unduly harm protected important interests."),
    "g1_penalty_le_1y": N_("Art. 6(1)(g)(i): under the law of this country."),
    "g2_not_an_offence": N_("Art. 6(1)(g)(ii): the matter is no offence under the law of this country."),
    "h_third_party_no_consent": N_("Art. 6(1)(h): another State or a third country gave it, and has not consented."),
    "sovereignty": N_("A ground of the agreement: answering would threaten it."),
    "security": N_("A ground of the agreement: answering would threaten it."),
    "legal_order": N_("A ground of the agreement: answering would be contrary to them."),
    "essential_interest": N_("A ground of the agreement: answering would be contrary to them."),
}
CHOICE_HINT = {"grounds": REFUSAL_HINT}
"""Fact -> what each of its choices means, under the choice."""
