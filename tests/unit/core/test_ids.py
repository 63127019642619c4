from concurrent.futures import ThreadPoolExecutor

from core.ids import new_id


class TestNewId:
    def test_they_sort_in_the_order_they_were_made(self) -> None:
        made = [new_id("evt") for _ in range(5_000)]  # hundreds within a millisecond
        assert made == sorted(made)
        assert {len(one) for one in made} == {30}

    def test_threads_never_make_the_same(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            made = [one for several in pool.map(lambda _: [new_id("evt") for _ in range(2_000)], range(8)) for one in several]
        assert len(set(made)) == 16_000
