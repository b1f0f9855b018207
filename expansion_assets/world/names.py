"""Word lists of the demo world: companies, people, departments, titles. All domains end in the reserved ``.example``.

Belongs here: plain lists. Does not belong here: who gets which.
"""

from __future__ import annotations

import unicodedata

COMPANY_HEADS = (
    "Alder", "Brightwater", "Calder", "Dunmore", "Eastgate", "Falkenberg", "Granville", "Harrow", "Ilmenau", "Juniper",
    "Kestrel", "Lindholm", "Marlow", "Northbeck", "Oakhaven", "Penrose", "Quarry Lane", "Rosenthal", "Silverstrand",
    "Thornbury", "Ulmen", "Verdane", "Westerholt", "Yarrow", "Zandvoort", "Ashdown", "Bellweather", "Corvane",
    "Dornfeld", "Elmsworth",
)
COMPANY_TAILS = (
    "Logistics", "Foods", "Components", "Health", "Building Supplies", "Textiles", "Energy Services", "Packaging",
    "Instruments", "Freight", "Retail Group", "Chemicals", "Marine", "Facilities", "Insurance Services", "Timber",
    "Mobility", "Printworks", "Pharma Supply", "Hotels",
)
FIRST_NAMES = (
    "Anna", "Ben", "Carla", "David", "Elif", "Florian", "Grace", "Hannah", "Imran", "Julia", "Karim", "Laura", "Marek",
    "Nadia", "Oliver", "Priya", "Quentin", "Rosa", "Stefan", "Tomas", "Ursula", "Victor", "Wendy", "Yusuf", "Zoe",
    "Aaron", "Beate", "Chloé", "Dieter", "Esther", "Fiona", "Gregor", "Helen", "Ines", "Jonas", "Katrin", "Liam",
    "Mónica", "Noah", "Olga", "Peter", "Renée", "Simon", "Tanja", "Uwe", "Vera", "Walter", "Yvonne",
)
LAST_NAMES = (
    "Abel", "Baker", "Castle", "Dietrich", "Evans", "Fischer", "Grant", "Hoffmann", "Iqbal", "Jansen", "Keller",
    "Lemoine", "Marsh", "Novak", "Okafor", "Peters", "Quinn", "Richter", "Schmidt", "Taylor", "Unger", "Vogel",
    "Weber", "Xavier", "Young", "Zimmer", "Adler", "Brooks", "Cole", "Doyle", "Engel", "Frost", "Gupta", "Hayes",
    "Ibsen", "Jung", "Kowalski", "Lang", "Mercer", "Neumann", "Osei", "Pohl", "Reyes", "Sato", "Thiel", "Usman",
    "Vance", "Winter", "Yilmaz", "Zeller",
)
FUNCTION_LABELS = {"operations": "Operations", "finance": "Finance", "procurement": "Procurement"}
OTHER_DEPARTMENTS = ("Logistics", "Quality", "Administration", "Production Planning", "Warehousing", "Treasury")
NEW_DEPARTMENTS = (
    "Legal", "Marketing", "Customer Support", "Facilities", "Human Resources", "Fleet", "Research", "Communications",
    "Internal Audit", "Sustainability",
)
USE_CASES = ("purchase approvals", "invoice release", "site change requests", "supplier onboarding", "capex requests")
GOALS = {
    "seats": "Have every site lead approve in the tool by the end of the year",
    "departments": "Bring a second department onto the same approval flow",
    "tier": "Automate hand-overs between systems and stop re-typing",
    "modules": "Move reporting and signatures to where the requests live",
    "relationship": "A steering meeting with the executive sponsor every quarter",
    "services": "Get help with redesigning the approval matrix",
}


def ascii_name(name: str) -> str:
    """Lower-case ASCII form of a name for mailboxes and domains."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return plain.lower().replace(" ", "-")
