"""Settings from `QUERENT_*` environment variables (and `.env`); secrets are SecretStr and never logged."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything that differs between one machine and a cluster. The defaults are the embedded ones."""

    model_config = SettingsConfigDict(env_prefix="QUERENT_", env_file=".env", extra="ignore")

    home: Path = Field(default=Path("var"), description="Folder of all run-time state on embedded defaults.")
    environment: Literal["development", "production", "test"] = "development"

    warehouse_url: str = Field(default="http://127.0.0.1:8124", description="ClickHouse HTTP interface (server or `querent warehouse`).")
    warehouse_user: str = "querent"
    warehouse_password: SecretStr = Field(default=SecretStr(""), description="Empty: the embedded endpoint's token file is read.")
    warehouse_admin_user: str = Field(
        default="", description="Loads data and writes results; empty: `querent_admin` of the embedded endpoint."
    )
    warehouse_admin_password: SecretStr = Field(default=SecretStr(""), description="Empty: the embedded endpoint's token file is read.")
    warehouse_embedded: bool = Field(default=True, description="Whether the endpoint is our own over chDB.")

    tenant_columns: frozenset[str] = Field(
        default=frozenset({"tenant_id"}), description="Columns of shared tables that may say whose a row is (JSON list)."
    )
    shared_databases: frozenset[str] | None = Field(
        default=None,
        description="Databases where shared tables may lie (JSON list); unset: any that is neither the server's nor a tenant's.",
    )

    state_url: str = Field(default="", description="SQLAlchemy URL; empty: SQLite (WAL) in `home`.")
    broker_url: str = Field(default="", description="Celery broker URL; empty: the filesystem transport in `home`.")
    mlflow_url: str = Field(default="", description="MLflow tracking URI; empty: SQLite in `mlruns/`.")
    mlflow_root: Path = Path("mlruns")
    redis_url: str = Field(default="", description="Shared cache; empty: in-process.")

    api_host: str = "127.0.0.1"
    api_port: int = 8080
    base_url: str = Field(default="", description="Public address for links in messages; empty: http://host:port.")
    secret_key: SecretStr = Field(default=SecretStr(""), description="Signs sessions; empty: made once and kept in `home`.")
    secret_keys_before: tuple[SecretStr, ...] = Field(
        default=(),
        description="Earlier values of the secret key (JSON list): they still open what they encrypted, until `querent source reseal`.",
    )
    session_minutes: int = Field(default=480, ge=15, le=480)
    max_upload_bytes: int = 2 * 1024**3
    rate_per_minute: int = Field(default=1000, ge=0, description="Requests a minute of one user or key; 0 has no limit.")
    tenant_rate_per_minute: int = Field(default=10_000, ge=0, description="Requests a minute of all users of a tenant; 0 has no limit.")
    queries_per_day: int = Field(
        default=0, ge=0, description="Questions and queries a day of one tenant; 0 has no limit. A tenant's settings may say otherwise."
    )
    rows_read_per_day: int = Field(default=0, ge=0, description="Rows that one tenant's queries may read in a day; 0 has no limit.")
    jobs_per_day: int = Field(default=0, ge=0, description="Jobs a day of one tenant; 0 has no limit.")
    tick_s: float = Field(
        default=15.0,
        ge=0.5,
        le=300,
        description="Seconds between two looks for due alert rules, at most ten for waiting messages; digests and sources take twice as long.",
    )
    jobs_at_once: int = Field(default=0, ge=0, description="Jobs of one tenant that run at once in one queue; 0 has no limit.")

    standing_forecast_days: int = Field(
        default=90,
        ge=0,
        description="A batch of forecasts is made anew by itself for so many days after someone last asked for it; 0 never.",
    )

    smtp_host: str = Field(default="", description="Mail server for alerts; empty: e-mail channels cannot send.")
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_from: str = Field(default="querent@localhost", description="Sender of alert e-mails.")
    outbound_hosts: frozenset[str] = Field(
        default=frozenset(),
        description="Hosts (name, or name:port) that webhooks and chat may reach although they are private (JSON list).",
    )

    llm_base_url: str = Field(
        default="", description="An OpenAI-compatible endpoint (.../v1) that may read refused questions; empty: none."
    )
    llm_model: str = Field(default="", description="Its model's name; empty: no language model is asked.")
    llm_api_key: SecretStr = SecretStr("")
    llm_mode: Literal["off", "refusals", "first"] = Field(
        default="refusals", description="When a connected model is asked; a tenant's setting `llm` may say otherwise."
    )
    llm_timeout_s: int = Field(default=20, ge=1, le=120, description="For all calls of one question together.")
    llm_max_tokens: int = Field(default=1500, ge=100, le=16_000)
    llm_sees_values: bool = Field(
        default=False, description="Whether the model is told sample values of categories (never of personal fields)."
    )
    llm_calls_per_day: int = Field(
        default=500, ge=0, description="Questions a day of one tenant that a language model reads; 0 has no limit."
    )

    otlp_url: str = Field(
        default="",
        description="OpenTelemetry collector (OTLP over HTTP, such as http://collector:4318); empty: no traces. Needs the extra `otel`.",
    )
    trace_share: float = Field(
        default=1.0, ge=0, le=1, description="Share of traces that are kept; callers that trace already decide for theirs."
    )
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def resolved_state_url(self) -> str:
        return self.state_url or f"sqlite:///{(self.home / 'state.db').resolve()}"

    @property
    def resolved_mlflow_url(self) -> str:
        return self.mlflow_url or f"sqlite:///{(self.mlflow_root / 'mlflow.db').resolve()}"

    @property
    def resolved_base_url(self) -> str:
        return self.base_url or f"http://{self.api_host}:{self.api_port}"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings, read once."""
    return Settings()
