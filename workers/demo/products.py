"""The product range and the people of a demo company."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from core.timeseries import FloatArray
from workers.demo.world import World

PRODUCTS_PER_SUBCATEGORY = 7
_SERIES = ("Nova", "Pulse", "Arc", "Lumen", "Vertex", "Echo", "Terra", "Orbit", "Flux", "Prime")
FIRST_NAMES = tuple(
    "Emma Liam Noah Olivia Ava Lucas Mia Hugo Lena Paul Sofia Mateo Yuki Haruto "
    "Chloe Jack Amara Kofi Priya Arjun Elena Marco Ines Pedro Anna Jan Zofia Erik "
    "Maja Omar Layla Daniel Grace Henry Clara Felix Nora Oscar Alice Leo".split()
)
LAST_NAMES = tuple(
    "Schmidt Martin Garcia Smith Johnson Tanaka Suzuki Brown Wilson Silva Santos Rossi Bianchi Jansen "
    "Kowalski Nilsson Larsson Tremblay Lopez Hernandez Weber Dubois Moreau Taylor Evans Nguyen Chen Lim "
    "Kumar Okafor Fischer Keller Novak Costa Lee Walker".split()
)


@dataclass(frozen=True, slots=True)
class Products:
    """One entry per product, parallel. `category` indexes world.categories; `weight` is popularity within the category, summing to 1."""

    ids: list[int]
    names: list[str]
    category: list[int]
    subcategory: list[str]
    list_price: FloatArray
    unit_cost: FloatArray
    weight: FloatArray
    launched_on: list[dt.date]


def make_products(world: World, start: dt.date) -> Products:
    """The world's range; the same for the same world and start."""
    rng = np.random.default_rng([world.seed, 1])
    ids, names, category, subcategory, prices, costs, weights, launched = [], [], [], [], [], [], [], []
    for index, kind in enumerate(world.categories):
        count = len(kind.subcategories) * PRODUCTS_PER_SUBCATEGORY
        popularity = 1.0 / np.arange(1, count + 1) ** 0.6
        rng.shuffle(popularity)
        popularity /= popularity.sum()
        for number in range(count):
            sub = kind.subcategories[number // PRODUCTS_PER_SUBCATEGORY]
            price = round(float(np.exp(rng.uniform(np.log(kind.price_low), np.log(kind.price_high)))), 0) - 0.01
            ids.append(1000 * (index + 1) + number)
            names.append(f"{_SERIES[number % len(_SERIES)]} {sub.rstrip('s')} {100 + number}")
            category.append(index)
            subcategory.append(sub)
            prices.append(max(price, 1.99))
            costs.append(round(price * (1 - kind.margin) * float(rng.uniform(0.94, 1.06)), 2))
            weights.append(float(popularity[number]))
            launched.append(start - dt.timedelta(days=int(rng.integers(30, 900))))
    return Products(ids, names, category, subcategory, np.array(prices), np.array(costs), np.array(weights), launched)
