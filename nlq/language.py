"""Whether a text is English enough to be read by an English grammar, and which language it looks like otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from nlq.text import fold

ENGLISH_ONLY = "I understand questions in English only."

# Words that people ask about figures with, without those that are English as well ("am", "die", "was", "on", "no"), folded (no accents).
_WORDS: dict[str, frozenset[str]] = {
    "German": frozenset("""wie viele viel der das und ist sind von mit nach pro je fur welche welcher welches wieviel zeige mir uns haben hat wir gab
        umsatz umsatze kunden kunde bestellungen verkaufe gewinn kosten im letzten letztes letzter letzte letztem jahr jahre monat monate woche quartal tag gestern heute
        dieses diesen diesem unsere unser warum gesunken gestiegen vergleich nicht ohne deutschland frankreich land durchschnittlich anzahl""".split()),
    "French": frozenset("""combien de quel quelle quels quelles est les des une avec chiffre affaires par dernier derniere mois annee semaine trimestre hier
        pourquoi nous avons le la et sans commandes ventes montre montrez moi meilleurs meilleur pays produits notre nos dans aujourd hui benefice""".split()),
    "Spanish": frozenset("""cuantos cuantas cuanto cuanta cual cuales ventas ingresos por mes pasado pasada los las clientes del el la de y en pedidos
        semana trimestre ano ayer hoy porque tenemos mostrar muestra muestrame region hubo fueron total mejores cayeron nuestros""".split()),
    "Italian": frozenset("""quanti quante quanto quali quale vendite ricavi clienti della del delle dei ultimo ultima mese anno settimana trimestre ieri oggi abbiamo
        perche per il lo gli e ordini fatturato italia paese mostra nel""".split()),
    "Portuguese": frozenset("""quantos quantas quanto qual quais vendas receita clientes do da dos das no na por ultimo mes ano semana trimestre ontem hoje temos
        pedidos passado regiao mostrar porque em""".split()),
    "Dutch": frozenset("""hoeveel welke klanten omzet vorige vorig maand jaar kwartaal gisteren vandaag bestellingen het een van en per regio waarom verkopen laat
        hebben wij deze dit naar zijn toon winst""".split()),
    "Polish": frozenset("""ile ilu jaka jaki jakie sprzedaz wedlug miesiac miesiacu zeszlym ostatni rok roku wczoraj klientow klienci mamy zamowien zamowienia
        dlaczego pokaz przychod przychody regionu w na i""".split()),
}  # fmt: skip
_ENGLISH = frozenset(
    (
        "the of by in on for per and no total what which how many much last this year month week our we is are was did show revenue orders region "
        "e i na do w en die am der"
    ).split()
)
_PLAINLY_ENGLISH = frozenset(
    "the of by what which how where when why will is are was did does much many last this year month week our we at and show list".split()
)
_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)
_MOST = 0.4


def looks_english(text: str, known: Callable[[str], bool] = lambda _: False) -> bool:
    """False when most letters are not Latin, or several words that are not `known` here are plainly of another language."""
    letters = [c for c in text if c.isalpha()]
    if not letters:
        return True
    if sum(1 for c in letters if ord(c) > 0x24F) > _MOST * len(letters):
        return False
    words = _words(text)
    foreign = _foreign([w for w in words if not known(w)])
    return not any(len(found) >= 3 and len(found) >= _MOST * len(words) for found in foreign.values())


def language_of(text: str, unknown: Collection[str]) -> str | None:
    """The language that a text with `unknown` words seems to be in: at least half of those are words of it, two where other words are English.

    >>> language_of("Umsatz nach Region letztes Quartal", ["Umsatz", "nach", "letztes", "Quartal"])
    'German'
    >>> language_of("revenue by plant", ["plant"]) is None
    True
    """
    strange = [w for text_ in unknown for w in _words(text_)]
    if not strange:
        return None
    found = {name: len(words) for name, words in _foreign(strange).items()}
    everywhere = _foreign(_words(text))
    best = max(found, key=lambda name: (found[name], len(everywhere[name])))
    if not found[best] or found[best] * 2 < len(strange):
        return None
    return best if found[best] > 1 or not any(w in _PLAINLY_ENGLISH for w in _words(text)) else None


def _words(text: str) -> list[str]:
    return [fold(w).replace("ł", "l") for w in _WORD.findall(text)]


def _foreign(words: list[str]) -> dict[str, list[str]]:
    return {name: [w for w in words if w in known and w not in _ENGLISH] for name, known in _WORDS.items()}
