"""A job that runs on the server, followed from here."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api.client.answers import Study
from api.client.failures import JobFailed
from api.client.progress import shown

if TYPE_CHECKING:
    from api.client.client import Querent

_FINAL = {"DONE", "FAILED", "CANCELLED"}
_FIRST_LOOK_S, _LONGEST_PAUSE_S = 0.2, 2.0


@dataclass(frozen=True, slots=True)
class Job:
    id: str
    client: Querent

    def view(self) -> Mapping[str, Any]:
        """Its state now: status, progress (0 to 1), step, result, error."""
        found: Mapping[str, Any] = self.client.request("GET", f"/v1/jobs/{self.id}")
        return found

    def cancel(self) -> None:
        self.client.request("POST", f"/v1/jobs/{self.id}/cancel")

    def wait(self, timeout_s: float = 3_600.0, *, progress: bool = True) -> Study:
        """Its result once it is there, with a progress bar meanwhile in terminals and notebooks.

        Raises: JobFailed when it fails or is cancelled; TimeoutError when it takes longer (it goes on running).
        """
        deadline, pause_s = time.monotonic() + timeout_s, _FIRST_LOOK_S
        with shown(progress) as show:
            while True:
                view = self.view()
                show(float(view["progress"]), str(view["step"] or view["status"]).capitalize())
                if view["status"] in _FINAL:
                    break
                if time.monotonic() > deadline:
                    raise TimeoutError(f"Job {self.id} is still {view['status'].lower()} after {timeout_s:g} s; it goes on running.")
                time.sleep(pause_s)
                pause_s = min(pause_s * 1.3, _LONGEST_PAUSE_S)
        if view["status"] != "DONE":
            raise JobFailed(self.id, str(view["status"]), view["error"])
        return Study(str(view["kind"]), view["result"] or {})
