"""Job titles in, rank and function out."""

from __future__ import annotations

import pytest
import yaml

from expansion_assets.catalogue.loader import load_catalogue
from expansion_assets.settings import PROJECT_DIR


@pytest.fixture(scope="module")
def titles():
    return load_catalogue().titles


@pytest.mark.parametrize(
    ("title", "rank"),
    [
        ("President", "chief"), ("President & CEO", "chief"), ("Vice President", "vp"), ("vice-president, sales", "vp"),
        ("Executive Vice President", "vp"), ("SVP Operations", "vp"), ("V.P. of Finance", "vp"), ("EVP", "vp"),
        ("C.E.O.", "chief"), ("CFO", "chief"), ("CISO", "chief"), ("Co-Founder", "chief"),
        ("Managing Director", "chief"),
        ("Head of IT", "vp"), ("Chief of Staff", "director"), ("Sr. Director, Procurement", "director"),
        ("Dir. of Sales", "director"), ("Senior Manager", "senior_manager"), ("Sr. Product Manager", "senior_manager"),
        ("Product Manager", "manager"), ("Ops Mgr", "manager"), ("Team Lead", "lead"), ("Principal Engineer", "lead"),
        ("Analyst", "individual"), ("Product Owner", "individual"), ("Assistant to the CEO", "individual"),
        ("Executive Assistant to the CFO", "individual"), ("Account Executive", "individual"),
        ("Geschäftsführerin", "chief"), ("Geschaeftsfuehrer", "chief"), ("Finanzvorstand", "chief"),
        ("Vizepräsident", "vp"), ("Vertriebsleiter", "vp"), ("IT-Leiterin", "vp"), ("Leitung Einkauf", "vp"),
        ("Bereichsleiter", "vp"), ("Abteilungsleiterin", "director"), ("Prokurist", "director"),
        ("Projektleiter", "manager"), ("Teamleiter", "lead"), ("Assistentin der Geschäftsführung", "individual"),
        ("Directeur général", "chief"), ("Directrice generale", "chief"), ("Présidente", "chief"),
        ("Vice-présidente", "vp"), ("Directrice financière", "director"), ("DSI", "director"),
        ("Responsable achats", "manager"), ("Chef de projet", "manager"),
        ("Global Head of Sales", "vp"), ("Group Head, Procurement", "vp"), ("Regional Head", "vp"),
        ("Deputy Head of Finance", "director"), ("Headhunter", "individual"), ("Head Office Clerk", "individual"),
        ("Acting CFO", "chief"), ("Interim Vice President", "vp"), ("VP & GM", "vp"), ("Vice  President", "vp"),
        ("Leiter:in Einkauf", "vp"), ("Geschäftsführer*in", "chief"), ("Gescha\u0308ftsfu\u0308hrer", "chief"),
        ("Algemeen directeur", "chief"), ("Financieel directeur", "director"), ("Hoofd Inkoop", "vp"),
        ("Afdelingshoofd ICT", "director"), ("Teamleider", "lead"), ("Directieassistente", "individual"),
        ("Director General", "chief"), ("Consejera delegada", "chief"), ("Vicepresidenta de Operaciones", "vp"),
        ("Directora de Compras", "director"), ("Subdirector de Ventas", "senior_manager"),
        ("Jefe de Compras", "manager"),
        ("Jefa de equipo", "lead"), ("Gerente de Finanzas", "manager"), ("Asistente de la Dirección", "individual"),
        ("Amministratore Delegato", "chief"), ("Direttrice generale", "chief"), ("Vicepresidente Vendite", "vp"),
        ("Direttore Acquisti", "director"), ("Responsabile Risorse Umane", "manager"), ("Capo progetto", "lead"),
        ("Presidente", "chief"), ("Vice-presidente", "vp"), ("Diretora-geral", "chief"),
        ("Diretor Financeiro", "director"),
        ("Coordenadora", "lead"), ("Responsável de Compras", "manager"),
    ],
)
def test_rank(titles, title, rank):
    assert titles.ranks[titles.rank(title)] == rank
    assert titles.rank(title.upper()) == titles.rank(title)


@pytest.mark.parametrize("title", [None, "", "  "])
def test_without_a_title_there_is_no_rank(titles, title):
    assert titles.rank(title) is None


def test_cosmetic_edits_keep_the_rank(titles):
    for spellings in (
        ["VP Operations", "Vice President, Operations", "Vice-President of Operations", "V.P. Ops"],
        ["Director of Finance", "Director, Finance", "Directora de Finanzas", "Direttore Finanza"],
        ["Leiterin Einkauf", "Leiter:in Einkauf", "Leitung Einkauf", "Hoofd Inkoop", "Head of Procurement"],
    ):
        assert len({titles.rank(title) for title in spellings}) == 1
        assert len({titles.function(title) for title in spellings}) == 1


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("Chief Financial Officer", "finance"), ("CFO", "finance"), ("Head of Controlling", "finance"),
        ("Leiter Finanzen", "finance"), ("Directrice financière", "finance"), ("VP, Information Technology", "it"),
        ("CIO", "it"), ("Director of IT", "it"), ("Responsable informatique", "it"), ("VP Purchasing", "procurement"),
        ("Leitung Einkauf", "procurement"), ("Responsable achats", "procurement"), ("COO", "operations"),
        ("SVP Ops", "operations"), ("Directeur des opérations", "operations"), ("Talent Sourcing Lead", "hr"),
        ("VP Customer Success", "customer_success"), ("customer_success", "customer_success"),
        ("Customer Success", "customer_success"), ("Finance", "finance"), ("Vertriebsleiter", "sales"),
        ("Hoofd ICT", "it"), ("Financieel directeur", "finance"), ("Jefe de Compras", "procurement"),
        ("Direttore Acquisti", "procurement"), ("Directora de Operaciones", "operations"),
        ("Responsabile Risorse Umane", "hr"),
        ("Director Comercial", "sales"), ("Diretor Jurídico", "legal"), ("Direttore Sistemi Informativi", "it"),
        ("Directora de Tecnología", "it"), ("VP  Information\u00a0Technology", "it"),
        ("General Counsel", "legal"), ("President", None), ("Committee Member", None), (None, None), ("", None),
    ],
)
def test_function(titles, text, function):
    assert titles.function(text) == function


def test_ranks_are_ordered(titles):
    assert titles.rank_of("director") < titles.rank_of("vp") < titles.rank_of("chief")
    with pytest.raises(ValueError, match="'boss' is not a rank"):
        titles.rank_of("boss")


def test_the_rank_of_a_new_stakeholder_is_director():
    """dbt counts them by the place of the rank: a rank added below director moves it."""
    variables = yaml.safe_load((PROJECT_DIR / "dbt_project" / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    assert load_catalogue().titles.ranks[variables["stakeholder_min_rank"]] == "director"
