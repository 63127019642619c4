"""Whether a text is English enough to be read by an English grammar."""

from __future__ import annotations

import re

_OTHERS = frozenset(
    """
    wie viele viel der die das und ist sind von mit nach welche welcher zeige mir umsatz im letzten jahr kunden combien quel quelle
    quels quelles est sont les des une avec chiffre affaires par mois dernier cuantos cuánto cuántos cual cuál ventas por mes pasado
    los las clientes del quanti quanto vendite clienti della ultimo mese quantos qual vendas último hoeveel welke klanten omzet vorige
    maand ile jaka sprzedaż
    """.split()
)
_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)


def looks_english(text: str) -> bool:
    """False when most letters are not Latin, or several words are plainly of another language."""
    letters = [c for c in text if c.isalpha()]
    if not letters:
        return True
    if sum(1 for c in letters if ord(c) > 0x24F) > 0.4 * len(letters):
        return False
    words = [w.lower() for w in _WORD.findall(text)]
    foreign = sum(1 for w in words if w in _OTHERS)
    return foreign < 3 or foreign < 0.4 * len(words)
