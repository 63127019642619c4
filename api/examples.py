"""An example of each body that requests hold, by the name of its schema, for those whose classes have none beside them; and of each answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_QUERY: Mapping[str, Any] = {"metrics": [{"kind": "metric", "metric": "revenue"}], "by": [{"kind": "time", "grain": "month"}]}
_UNTIL: Mapping[str, Any] = {"until": "2026-06-01T08:00:00Z"}

EXAMPLES: Mapping[str, Any] = {
    "UserIn": {"userName": "ada@shop.example", "displayName": "Ada Lovelace", "externalId": "00u1", "active": True},
    "GroupIn": {"displayName": "Finance", "members": [{"value": "usr_01m7zzwyhs86sg9gjm1774ahaa"}]},
    "PatchIn": {"Operations": [{"op": "replace", "path": "active", "value": False}]},
    "FeedbackRequest": {"verdict": "up", "comment": "Right to the cent."},
    "QueryRequest": {"query": _QUERY},
    "DetectRequest": {"metric": "revenue", "grain": "day"},
    "ExplainRequest": {"metric": "revenue"},
    "ScanRequest": {"metrics": ["revenue"], "grain": "month"},
    "BatchBody": {"metrics": ["revenue"], "by": ["customers.region"], "horizon": 14},
    "PreviewBody": {"definition": {"kind": "anomaly", "metric": "orders", "grain": "day"}},
    "PreviewDigest": {"definition": {"metrics": ["revenue"], "cadence": "weekly", "at": "08:00", "time_zone": "Europe/Berlin"}},
    "ChangeBody": {"change": {"op": "rename", "title": "Sales", "description": ""}, "on": 5},
    "Until": _UNTIL,
    "SubscriptionBody": {"metric": "revenue", "min_severity": 0.5},
    "Comment": {"comment": "The promotion ended a day early."},
    "Assign": {"user": "usr_01m7zzwyhs86sg9gjm1774ahaa"},
    "Feedback": {"useful": True, "comment": "Found before anybody noticed."},
    "ChannelSwitch": {"enabled": False},
    "SettingsBody": {"off_metrics": ["stock"], "max_queries": 200},
    "Subscribed": {"subscribed": True},
    "Restore": {"version": 3, "on": 5},
    "Sharing": {"roles": {"executive": "see", "analyst": "edit"}},
    "NewComment": {"text": "Berlin opened on the third."},
    "NewLink": {"days": 7},
    "CatalogText": {"yaml": "name: shop\ndatasets: []\n", "expected_version": 7, "note": "Net of returns"},
    "DecisionsBody": {"decisions": [{"dataset": "customers", "field": "email", "data_class": "restricted"}], "expected_version": 7},
    "DecisionBody": {"note": "Finance uses this word."},
    "VerifiedBody": {"question": "revenue by month", "query": _QUERY},
    "EvaluationBody": {},
    "LoginRequest": {"email": "ada@example.com", "password": "a long password"},
    "OwnPassword": {"current": "a long password", "password": "a longer password"},
    "CodeIn": {"code": "123456"},
    "NewKey": {"name": "Nightly export", "scopes": ["ask"], "days": 90},
    "PersonIn": {"email": "grace@example.com", "display_name": "Grace", "roles": ["manager"], "attributes": {"regions": ["EMEA"]}},
    "PersonChange": {"roles": ["analyst"], "disabled": False},
    "RoleIn": {"description": "Closes the month", "rights": ["act", "share"], "inherits": ["viewer"]},
    "PasswordIn": {"password": "a long password"},
    "SourceBody": {
        "name": "Shop orders",
        "connection": {
            "kind": "postgresql",
            "host": "db.example.com",
            "database": "shop",
            "user": "reader",
            "password": "secret",
            "table": "orders",
        },
        "plan": {"table": "orders"},
    },
    "CompanyIn": {"name": "Acme", "quotas": {"queries_per_day": 50000}},
}


def answers() -> Mapping[str, Any]:
    """What each operation of /v1 answers with when all is well, by method and path: as the demo's companies got it, lists cut to what shows
    their form, secrets replaced."""
    kept: dict[str, Any] = json.loads(Path(__file__).with_name("response_examples.json").read_text(encoding="utf-8"))
    return kept
