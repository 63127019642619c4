"""Every table of the state store. `metadata` must match what the migrations make; a test compares them."""

from core.store.tables.alerting import channels, deliveries, inbox, incident_events, subscriptions
from core.store.tables.alerts import alert_rules, incidents
from core.store.tables.boards import board_comments, board_links, board_versions, boards, preferences
from core.store.tables.branding import brandings
from core.store.tables.content import catalogs, conversations, datasets, feedback, questions, turns
from core.store.tables.digests import digest_deliveries, digest_issues, digest_readers, digests, fact_votes, word_versions
from core.store.tables.directory import directory_groups, directory_members, roles
from core.store.tables.identity import api_keys, sessions, tenants, users
from core.store.tables.meta import metadata
from core.store.tables.models import model_log, model_runs, model_slots, model_versions
from core.store.tables.operations import audit_log, secrets
from core.store.tables.outlooks import forecast_fits, forecast_scores, goal_statuses, goals
from core.store.tables.security import external_identities, idempotent_answers, second_factors, sign_in_failures, usage
from core.store.tables.sources import source_runs, sources
from core.store.tables.understanding import evaluations, proposals
from core.store.tables.work import detections, forecasts, insights, job_events, job_turns, jobs

__all__ = [
    "alert_rules",
    "api_keys",
    "audit_log",
    "board_comments",
    "board_links",
    "board_versions",
    "boards",
    "brandings",
    "catalogs",
    "channels",
    "conversations",
    "datasets",
    "deliveries",
    "detections",
    "digest_deliveries",
    "digest_issues",
    "digest_readers",
    "digests",
    "directory_groups",
    "directory_members",
    "evaluations",
    "external_identities",
    "fact_votes",
    "feedback",
    "forecast_fits",
    "forecast_scores",
    "forecasts",
    "goal_statuses",
    "goals",
    "idempotent_answers",
    "inbox",
    "incident_events",
    "incidents",
    "insights",
    "job_events",
    "job_turns",
    "jobs",
    "metadata",
    "model_log",
    "model_runs",
    "model_slots",
    "model_versions",
    "preferences",
    "proposals",
    "questions",
    "roles",
    "second_factors",
    "secrets",
    "sessions",
    "sign_in_failures",
    "source_runs",
    "sources",
    "subscriptions",
    "tenants",
    "turns",
    "usage",
    "users",
    "word_versions",
]
