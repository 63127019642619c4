"""What the templates make of clarifications, refusals and hostile text, without a browser."""

from __future__ import annotations

from html.parser import HTMLParser

from api import schemas
from api.web.answer_view import AnswerView
from api.web.rendering import page


class Read(HTMLParser):
    """Forms with their hidden values and button texts, and the names of all elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({})
        elif tag == "input" and self.forms:
            self.forms[-1][found["name"]] = found.get("value", "")


def shown(answer: schemas.Answer) -> str:
    view = AnswerView(
        answer=answer, table=None, chips=(), additions=None, drill={}, earlier=(), share="/?q=x", can_investigate=False, metric="", trail=(), up="",
    )  # fmt: skip
    return bytes(page("answer.html", a=view, table=None).body).decode()


def answer(**changes: object) -> schemas.Answer:
    return schemas.Answer.model_validate(
        {"id": "qst_1", "question": "sales by day", "outcome": "clarify", "message": "Which one?"} | changes
    )


class TestClarification:
    def test_each_reading_is_one_click(self) -> None:
        choices = [
            {"index": i, "label": text, "chips": [], "confidence": 0.5, "query": {}}
            for i, text in enumerate(("by order day", "by ship day"))
        ]
        html = shown(answer(choices=choices))
        assert [form["choice"] for form in Read(html).forms if "choice" in form] == ["0", "1"]
        assert all(form["q"] == "sales by day" for form in Read(html).forms if "choice" in form)
        assert "by ship day" in html


class TestRefusal:
    def test_an_unknown_word_is_marked_and_each_alternative_asks_the_mended_question(self) -> None:
        html = shown(
            answer(
                outcome="refuse",
                question="revenue by regoin",
                unknown=[{"text": "regoin", "start": 11, "end": 17, "nearest": ["region", "reason"]}],
            )
        )
        assert '<mark class="unknown">regoin</mark>' in html
        assert [form["q"] for form in Read(html).forms if "q" in form] == ["revenue by region", "revenue by reason"]

    def test_overlapping_or_wrong_places_do_not_lose_the_question(self) -> None:
        words = [{"text": "a", "start": 0, "end": 5}, {"text": "b", "start": 3, "end": 8}, {"text": "c", "start": 90, "end": 99}]
        assert '<mark class="unknown">sales</mark> by day' in shown(answer(outcome="refuse", unknown=words))


class TestHostileText:
    def test_nothing_becomes_markup(self) -> None:
        evil = "<script>x</script><img src=x onerror=y>\"'"
        html = shown(
            answer(
                question=evil,
                message=evil,
                headline=evil,
                outcome="answer",
                suggestions=[evil],
                conversation_id=evil,
                chart={"data": {"values": [{"name": "</script><script>x"}]}},
            )
        )
        read = Read(html)
        assert read.tags.count("img") == 1  # the page's own, for who has no scripts
        assert "<img src=x" not in html
        assert read.tags.count("script") == 1
        assert "</script><script>x" not in html
