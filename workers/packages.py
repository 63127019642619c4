"""Packages of custom models as files: as uploaded, by their sha256; unpacked for the sandbox, once per worker."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from core.errors import InternalError, NotFound
from core.ids import TenantId, tenant_id
from core.store.model_versions import StoredVersion
from models.registry import Registry
from models.sdk.package import digest, unpack

PACKAGE_FILE = "package.zip"


class PackageFiles:
    """home: the installation's run-time folder, shared between API and workers on one machine; others fetch from the registry."""

    def __init__(self, home: Path, registry: Registry) -> None:
        self._home, self._registry = home.resolve(), registry

    def place(self, tenant: TenantId, sha256: str) -> Path:
        """Where a package lies, or is to be put."""
        return self._home / "models" / tenant_id(tenant) / f"{sha256}.zip"

    def keep(self, tenant: TenantId, draft: Path, sha256: str) -> Path:
        """Moves an upload to its place, whole or not at all."""
        place = self.place(tenant, sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(draft, place)
        return place

    def packed(self, version: StoredVersion) -> Path:
        """The uploaded file, fetched from the registry when it is not here. Raises: NotFound; InternalError when its content differs."""
        place = self.place(version.tenant_id, version.sha256)
        if not place.exists():
            if version.run_id is None:
                raise NotFound(f"The package of {version} is gone; register it again.", code="package_gone")
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=place.parent) as folder:
                fetched = self._registry.download(version.tenant_id, version.run_id, f"model/{PACKAGE_FILE}", Path(folder))
                os.replace(fetched, place)
        if digest(place) != version.sha256:
            raise InternalError(f"the package of {version} is not what was registered", code="package_changed")
        return place

    def unpacked(self, version: StoredVersion) -> Path:
        """The package's folder for the sandbox. Its content is checked each time against what was registered."""
        packed = self.packed(version)
        folder = self._home / "sandbox" / "packages" / tenant_id(version.tenant_id) / version.sha256
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".draft-"))
            draft.chmod(0o755)
            unpack(packed, draft)
            try:
                draft.rename(folder)
            except OSError:  # another worker was faster
                shutil.rmtree(draft, ignore_errors=True)
        return folder
