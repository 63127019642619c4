"""The files of deploy/ are read by the tools that will read them: Helm, Kubernetes' schemas, the compose schema, hadolint, our own settings."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import helm_python as helm
import kubernetes_validate
import pytest
import yaml

from core.settings import Settings
from workers.broker import QUEUES

DEPLOY = Path(__file__).parents[3] / "deploy"
CHART = DEPLOY / "helm" / "querent"
SECRETS = {
    "QUERENT_STATE_URL": "postgresql+psycopg://db/querent",
    "QUERENT_BROKER_URL": "redis://redis:6379/0",
    "QUERENT_SECRET_KEY": "k" * 32,
}
VARIANTS: dict[str, dict[str, Any]] = {
    "defaults": {"secrets": SECRETS},
    "own secret": {"existingSecret": "mine"},
    "everything on": {
        "secrets": SECRETS | {"QUERENT_SMTP_PASSWORD": 'a"b: c'},
        "ingress": {"enabled": True, "className": "nginx", "tlsSecret": "tls", "annotations": {"a": "b"}},
        "image": {"pullSecrets": [{"name": "pull"}]},
        "nodeSelector": {"disk": "ssd"},
        "podAnnotations": {"team": "data"},
        "networkPolicy": {"extraEgress": [{"to": [{"ipBlock": {"cidr": "10.1.2.0/24"}}], "ports": [{"port": 9093, "protocol": "TCP"}]}]},
    },
    "small": {"secrets": SECRETS, "api": {"autoscaling": {"enabled": False}, "replicas": 1}, "networkPolicy": {"enabled": False},
              "podDisruptionBudget": {"enabled": False}},
}  # fmt: skip


def rendered(values: dict[str, Any]) -> list[dict[str, Any]]:
    chart = helm.Chart.load(CHART)
    files = chart.render(values, name="shop", namespace="default", is_install=True)
    return [document for name, text in files.items() if name.endswith(".yaml") for document in yaml.safe_load_all(text) if document]


def containers(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [c for d in documents if d["kind"] in {"Deployment", "Job"} for c in d["spec"]["template"]["spec"]["containers"]]


@pytest.mark.parametrize("values", VARIANTS.values(), ids=VARIANTS)
class TestChart:
    def test_helm_lints_it(self, values: dict[str, Any]) -> None:
        found = helm.lint(CHART, values)
        assert found["errors"] == []
        assert [m for m in found["messages"] if m["severity"] > 1] == []  # 1 is advice, such as an icon

    def test_kubernetes_accepts_every_document(self, values: dict[str, Any]) -> None:
        for document in rendered(values):
            if document["kind"] != "ServiceMonitor":
                kubernetes_validate.validate(document, "1.31", strict=True)

    def test_nothing_runs_as_root_or_writes_its_image(self, values: dict[str, Any]) -> None:
        documents = rendered(values)
        for document in documents:
            if document["kind"] in {"Deployment", "Job"}:
                pod = document["spec"]["template"]["spec"]
                assert pod["securityContext"]["runAsNonRoot"] is True
                assert pod["automountServiceAccountToken"] is False
        for container in containers(documents):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]


class TestChartValues:
    def test_a_missing_secret_is_named(self) -> None:
        with pytest.raises(helm.HelmError, match="QUERENT_STATE_URL"):
            rendered({"secrets": {}})

    def test_a_bad_value_is_refused(self) -> None:
        with pytest.raises(helm.HelmError, match="concurrency"):
            helm.Chart.load(CHART).validate_schema({"workers": {"default": {"queues": "default", "concurrency": 0, "replicas": 1}}})

    def test_every_queue_has_a_worker_and_every_setting_exists(self) -> None:
        values = yaml.safe_load((CHART / "values.yaml").read_text())
        served = {queue for worker in values["workers"].values() for queue in worker["queues"].split(",")}
        assert served >= set(QUEUES)
        assert set(values["config"]) <= set(Settings.model_fields)

    def test_a_sandbox_reaches_nothing_outside(self) -> None:
        documents = rendered({"secrets": SECRETS})
        roles = {
            d["metadata"]["name"]: d["spec"]["template"]["metadata"]["labels"].get("querent/role")
            for d in documents
            if d["kind"] == "Deployment"
        }
        assert roles["shop-querent-worker-sandbox"] == "sandbox"
        outbound = next(d for d in documents if d["kind"] == "NetworkPolicy" and d["metadata"]["name"].endswith("outbound"))
        assert outbound["spec"]["podSelector"]["matchExpressions"] == [{"key": "querent/role", "operator": "NotIn", "values": ["sandbox"]}]
        assert "10.0.0.0/8" in outbound["spec"]["egress"][0]["to"][0]["ipBlock"]["except"]


class TestCompose:
    def test_it_follows_the_compose_schema(self) -> None:
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_services_settings_queues_and_secrets(self) -> None:
        text = (DEPLOY / "compose.yaml").read_text()
        compose = yaml.safe_load(text)
        services = compose["services"]
        assert set(services) >= {"api", "worker", "worker-heavy", "sandbox", "beat", "migrate", "postgres", "redis", "clickhouse", "mlflow"}
        known = {f"QUERENT_{name.upper()}" for name in Settings.model_fields}
        assert set(services["api"]["environment"]) <= known
        commands = [service.get("command") or [] for service in services.values()]
        served = {q for c in commands if "--queues" in c for q in c[c.index("--queues") + 1].split(",")}
        assert served >= set(QUEUES)
        assert [name for name, service in services.items() if "ports" in service] == ["api", "grafana"]
        example = (DEPLOY / ".env.example").read_text()
        assert set(re.findall(r"\$\{([A-Z_]+):\?", text)) <= set(re.findall(r"^([A-Z_]+)=", example, re.M))

    def test_the_sandbox_has_no_way_out(self) -> None:
        compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
        assert compose["services"]["sandbox"]["networks"] == ["inside"]
        assert compose["networks"]["inside"]["internal"] is True


class TestImage:
    def test_hadolint_finds_nothing(self) -> None:
        hadolint = Path(sys.executable).with_name("hadolint")
        done = subprocess.run([str(hadolint), str(DEPLOY / "Dockerfile")], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout

    def test_it_runs_as_a_user(self) -> None:
        lines = (DEPLOY / "Dockerfile").read_text().splitlines()
        assert [line for line in lines if line.startswith("USER ")][-1] != "USER root"
        environment = set(re.findall(r"(QUERENT_[A-Z_]+)=", "\n".join(lines)))
        assert environment <= {f"QUERENT_{name.upper()}" for name in Settings.model_fields}


class TestMonitoring:
    """Dashboards and alert rules that name a metric which nothing makes stay empty for ever and silent when they should not."""

    def made(self) -> set[str]:
        from prometheus_client import REGISTRY

        import semantic.warehouse.client  # noqa: F401  makes its metrics when it is imported
        from api import metrics, middleware  # noqa: F401
        from core.store.migrate import migrate
        from core.store.store import Store

        store = Store.open("sqlite://")
        migrate(store.engine)
        families = [*REGISTRY.collect(), *metrics.StateCollector(store).collect()]
        return {f.name for f in families}

    def test_every_metric_exists(self) -> None:
        texts = [(DEPLOY / "prometheus" / "rules.yml").read_text(), (DEPLOY / "grafana" / "dashboards" / "querent.json").read_text()]
        named = set(re.findall(r"\bquerent_[a-z_]+", " ".join(re.sub(r"querent_\w+\.json", "", text) for text in texts)))
        made = self.made()
        assert named
        unknown = {n for n in named if re.sub(r"_(total|bucket|count|sum)$", "", n) not in made}
        assert unknown == set()

    def test_the_dashboard_has_distinct_panels_that_do_not_overlap(self) -> None:
        panels = json.loads((DEPLOY / "grafana" / "dashboards" / "querent.json").read_text())["panels"]
        assert len({p["id"] for p in panels}) == len(panels)
        cells = [
            (p["gridPos"]["x"] + dx, p["gridPos"]["y"] + dy)
            for p in panels
            for dx in range(p["gridPos"]["w"])
            for dy in range(p["gridPos"]["h"])
        ]
        assert len(cells) == len(set(cells))

    def test_runbook_sections_exist(self) -> None:
        operations = (DEPLOY.parent / "docs" / "operations.md").read_text()
        rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())["groups"][0]["rules"]
        for rule in rules:
            section = rule["annotations"]["runbook"].partition(", ")[2]
            assert f"## {section}" in operations, section
