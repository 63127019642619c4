"""An answer's sentences hold figures of the asker's rows: others get the question and its query, and compute it with their own rights."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow]


class TestAnotherPersonsAnswer:
    def test_has_its_query_but_no_figures(self, executive, manager) -> None:  # type: ignore[no-untyped-def]
        asked = executive.post("/v1/ask", {"question": "revenue by region"}).json()
        mine = executive.get(f"/v1/ask/{asked['id']}").json()
        theirs = manager.get(f"/v1/ask/{asked['id']}").json()
        assert mine["answer"]["headline"] == asked["headline"]
        assert theirs["answer"]["query"] == asked["query"]
        assert {"headline", "message", "receipt", "columns"} & set(theirs["answer"]) == set()

    def test_an_edited_query_continues_the_conversation(self, executive) -> None:  # type: ignore[no-untyped-def]
        first = executive.post("/v1/ask", {"question": "revenue by region"}).json()
        query = first["query"] | {"by": [{"kind": "time", "grain": "month"}]}
        edited = executive.post("/v1/query", {"query": query, "conversation_id": first["conversation_id"]}).json()
        assert edited["conversation_id"] == first["conversation_id"]
        assert edited["question"] == edited["paraphrase"]
        turns = executive.get(f"/v1/conversations/{first['conversation_id']}").json()["turns"]
        assert [turn["id"] for turn in turns] == [first["id"], edited["id"]]
        after = executive.post("/v1/ask", {"question": "only EMEA", "conversation_id": first["conversation_id"]}).json()
        assert after["outcome"] == "answer"
        assert after["query"]["by"][0]["kind"] == "time"

    def test_sql_says_what_its_columns_are(self, analyst) -> None:  # type: ignore[no-untyped-def]
        answer = analyst.post("/v1/sql", {"sql": "SELECT status, count() AS n FROM demo.orders GROUP BY status"}).json()
        assert [(c["name"], c["role"]) for c in answer["columns"]] == [("status", "attribute"), ("n", "measure")]
        assert all(len(row) == 2 for row in answer["rows"])
