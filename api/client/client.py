"""The client itself."""

from __future__ import annotations

import contextlib
import hashlib
import random
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import pandas as pd

from api.client.answers import Answer
from api.client.failures import ApiError, JobFailed
from api.client.jobs import Job
from api.client.versions import ModelVersion

_TRIES = 4
_RETRIED = {429, 502, 503, 504}
_LONGEST_PAUSE_S = 30.0


class Querent:
    """Everything that the API does for one user. Safe to share between threads.

    A request that may be repeated (reading, and starting jobs, which carries an Idempotency-Key) is tried four times when the service is
    away or asks for patience; others once. Raises everywhere: ApiError in the service's words; httpx.TransportError when nothing answers.
    """

    def __init__(self, url: str = "http://127.0.0.1:8080", *, key: str | None = None, timeout_s: float = 60.0) -> None:
        """key: an API key (qk_...) or a token of your company's OpenID provider; without one use `sign_in`."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout_s)

    def sign_in(self, email: str, password: str, *, tenant: str | None = None, code: str | None = None) -> Querent:
        """With e-mail and password, for a session; programs should use a key."""
        body = {"email": email, "password": password, "tenant": tenant, "code": code}
        self.request("POST", "/v1/login", json={name: value for name, value in body.items() if value is not None})
        return self

    def close(self) -> None:
        self._http.close()

    def __repr__(self) -> str:
        return f"Querent({str(self._http.base_url)!r})"

    def __enter__(self) -> Querent:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # ------------------------------------------------------------- asking

    def ask(self, question: str, *, conversation: str | None = None, as_of: date | None = None, choice: int | None = None) -> Answer:
        """Answers, asks back (`.choices`), refuses, or starts a study (`.wait()`)."""
        body = {"question": question, "conversation_id": conversation, "as_of": as_of.isoformat() if as_of else None, "choice": choice}
        return Answer(self.request("POST", "/v1/ask", json={name: value for name, value in body.items() if value is not None}), self)

    def query(self, query: Mapping[str, Any], *, as_of: date | None = None) -> Answer:
        """Runs a SemanticQuery, such as `answer.query` changed."""
        body: dict[str, Any] = {"query": dict(query)} | ({"as_of": as_of.isoformat()} if as_of else {})
        return Answer(self.request("POST", "/v1/query", json=body), self)

    def sql(self, sql: str) -> Answer:
        """SQL over the catalog's tables, through the guard; for analysts."""
        return Answer(self.request("POST", "/v1/sql", json={"sql": sql}), self)

    def suggest(self, prefix: str = "") -> list[str]:
        found = self.request("GET", "/v1/suggest", params={"q": prefix})
        return [str(item["text"]) for item in found.get("items", found.get("suggestions", []))]

    def feedback(self, answer: Answer, right: bool, comment: str = "") -> None:
        self.request("POST", f"/v1/ask/{answer.id}/feedback", json={"verdict": "up" if right else "down", "comment": comment})

    def metrics(self) -> pd.DataFrame:
        """The metrics that may be asked about."""
        return pd.DataFrame(list(self.pages("/v1/metrics")))

    def catalog(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.request("GET", "/v1/catalog")
        return found

    # ------------------------------------------------------------ studies

    def forecast(self, metric: str, *, by: str | Sequence[str] | None = None, grain: str = "day", horizon: int = 28, **more: Any) -> Job:
        """more: where, period, goal, scenario, as POST /v1/forecasts takes them."""
        return self._start("/v1/forecasts", {"metric": metric, "by": by, "grain": grain, "horizon": horizon, **more})

    def detect(self, metric: str, *, by: str | None = None, grain: str = "day", sensitivity: float | None = None) -> Job:
        """sensitivity: false alarms a year that one can bear."""
        return self._start("/v1/detections", {"metric": metric, "by": by, "grain": grain, "sensitivity": sensitivity})

    def explain(self, metric: str, query: Mapping[str, Any] | None = None) -> Job:
        return self._start("/v1/insights", {"metric": metric, "query": query})

    def scan(self, metrics: Sequence[str] = (), *, grain: str = "day") -> Job:
        """Anything that one should know of the last complete period."""
        return self._start("/v1/insights/scan", {"metrics": list(metrics), "grain": grain})

    def job(self, key: str) -> Job:
        return Job(key, self)

    # --------------------------------------------------------------- data

    def upload(self, data: pd.DataFrame | str | Path, name: str) -> Job:
        """Loads a table of one's own (a frame, or a CSV, JSON, JSONL, Parquet or Excel file) as dataset `name`; the catalog learns it."""
        if isinstance(data, pd.DataFrame):
            content, file_name = data.to_parquet(index=False), f"{name}.parquet"
        else:
            content, file_name = Path(data).read_bytes(), Path(data).name
        files = {"file": (file_name, content, "application/octet-stream")}
        made = self.request("POST", "/v1/datasets", files=files, data={"name": name})
        return Job(str(made["id"]), self)

    # ------------------------------------------------------------- models

    def models(self) -> pd.DataFrame:
        """One row per name: its newest version, and which version is the champion."""
        items = self.request("GET", "/v1/models")["items"]
        shown = ("kind", "metric", "version", "state", "owner", "created_at")
        return pd.DataFrame([{"name": i["name"], **{k: i["newest"][k] for k in shown}, "champion": i["champion"]} for i in items])

    def register(self, package: str | Path, *, progress: bool = True) -> ModelVersion:
        """Hands in a package (a folder, or a zip of one), waits for its checks and comparison, and returns the version as it stands then."""
        path = Path(package)
        if path.is_dir():
            from models.sdk.package import pack

            content = pack(path)
        else:
            content = path.read_bytes()
        files = {"file": (path.name + ("" if path.suffix == ".zip" else ".zip"), content, "application/zip")}
        made = self.request("POST", "/v1/models", files=files, data={"sha256": hashlib.sha256(content).hexdigest()})
        job = self.job(str(made["job_id"]))
        with contextlib.suppress(JobFailed):  # the version says why
            job.wait(progress=progress)
        return self.version(str(made["name"]), int(made["version"]))

    def version(self, name: str, version: int) -> ModelVersion:
        """One version of a model: card, checks, backtest, verdict, lineage, live error."""
        return ModelVersion(self.request("GET", f"/v1/models/{name}/versions/{version}"))

    def versions(self, name: str) -> pd.DataFrame:
        return pd.DataFrame(list(self.pages(f"/v1/models/{name}")))

    def promote(self, name: str, version: int, note: str = "") -> Mapping[str, Any]:
        """Another person than who registered it must do this."""
        found: Mapping[str, Any] = self.request("POST", f"/v1/models/{name}/versions/{version}/promote", json={"note": note})
        return found

    def rollback(self, name: str, reason: str = "") -> str:
        """Who serves from now on."""
        return str(self.request("POST", f"/v1/models/{name}/rollback", json={"reason": reason})["serving"])

    def model_log(self, name: str) -> pd.DataFrame:
        return pd.DataFrame(list(self.pages(f"/v1/models/{name}/log")))

    # ----------------------------------------------------------- plumbing

    def pages(self, path: str, **params: Any) -> Iterator[Any]:
        """Every item of a list, page by page."""
        cursor: str | None = None
        while True:
            found = self.request("GET", path, params={**params, **({"cursor": cursor} if cursor else {})})
            yield from found["items"]
            cursor = found.get("next")
            if not cursor:
                return

    def request(self, method: str, path: str, **more: Any) -> Any:
        """The JSON of one call, tried again where that is safe."""
        headers = dict(more.pop("headers", {}))
        repeatable = method == "GET" or "Idempotency-Key" in headers
        for attempt in range(1, _TRIES + 1):
            last = attempt == _TRIES or not repeatable
            try:
                answer = self._http.request(method, path, headers=headers, **more)
            except httpx.TransportError:
                if last:
                    raise
                time.sleep(_pause_s(attempt))
                continue
            if answer.is_success:
                return answer.json() if answer.content else None
            if last or answer.status_code not in _RETRIED:
                raise ApiError(answer.status_code, _problem(answer))
            time.sleep(_pause_s(attempt, answer.headers.get("Retry-After")))
        raise AssertionError("unreachable")

    def _start(self, path: str, body: Mapping[str, Any]) -> Job:
        known = {name: value for name, value in body.items() if value is not None}
        made = self.request("POST", path, json=known, headers={"Idempotency-Key": uuid.uuid4().hex})
        return Job(str(made["id"]), self)


def _pause_s(attempt: int, asked: str | None = None) -> float:
    wanted = float(asked) if asked and asked.isdigit() else 0.25 * 2.0**attempt
    return min(wanted, _LONGEST_PAUSE_S) * random.uniform(1.0, 1.2)


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"detail": answer.text[:300] or answer.reason_phrase}
