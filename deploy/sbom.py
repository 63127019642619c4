"""What is delivered: `python -m deploy.sbom > sbom.json` writes a CycloneDX 1.6 bill of materials of the installed run-time libraries.

`python -m deploy.sbom --check` ends with 1 when a library's licence is none of those that an Apache-2.0 service may be delivered with.
Read from the installed packages' own metadata, so it needs no network. Known holes are another matter: `pip-audit -r constraints.txt`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import sys
import uuid
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = "querent"
# Permissive ones, and those that ask for the source of changes to the library itself only (MPL, LGPL), as we change none.
ALLOWED = re.compile(
    r"apache|\bmit\b|mit-0|mit-cmu|\bbsd\b|0bsd|bsd-[23]-clause|\bisc\b|\bpsf\b|psf-2\.0|python software foundation|cnri|zlib|bsl-1\.0|cc0|unlicense"
    r"|mpl|mozilla|lgpl|lesser general public",
    re.IGNORECASE,
)
REFUSED = re.compile(r"agpl|affero|sspl|busl|\b(?<!l)gpl|(?<!lesser )general public license", re.IGNORECASE)
# Their metadata name no licence; what the licence file that comes with them says.
KNOWN = {"huey": "MIT", "skops": "MIT"}


@dataclass(frozen=True, slots=True)
class Library:
    name: str
    version: str
    licence: str

    @property
    def is_fine(self) -> bool:
        return bool(ALLOWED.search(self.licence)) and not REFUSED.search(
            re.sub(r"lgpl[\w.-]*|lesser general public license[^;]*", "", self.licence, flags=re.I)
        )


def delivered(root: str = ROOT) -> tuple[Library, ...]:
    """Every library that `root` needs to run, by name; extras such as `dev` are left out, as is `root` itself."""
    found: dict[str, Distribution] = {}
    waiting: list[tuple[str, frozenset[str]]] = [(root, frozenset())]
    asked: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in asked:
            continue
        asked.add((name, extras))
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform
        for text in found[name].requires or ():
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
                waiting.append((canonicalize_name(needed.name), frozenset(needed.extras)))
    return tuple(Library(str(d.metadata["Name"]), d.version, _licence(d)) for name, d in sorted(found.items()) if name != root)


def _licence(found: Distribution) -> str:
    """The SPDX expression, else the classifiers, else the first line of the free text."""
    fields = found.metadata
    classified = [c.rpartition("::")[2].strip() for c in fields.get_all("Classifier") or () if c.startswith("License ::")]
    said = (
        fields.get("License-Expression")
        or "; ".join(c for c in classified if c != "OSI Approved")
        or (fields.get("License") or "").split("\n")[0]
    )
    return str(said or KNOWN.get(canonicalize_name(str(fields["Name"])), ""))


def bill(libraries: tuple[Library, ...], made_at: dt.datetime) -> dict[str, object]:
    """CycloneDX 1.6, as JSON values."""
    own = distribution(ROOT)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{ROOT}@{own.version}@{made_at.isoformat()}')}",
        "version": 1,
        "metadata": {
            "timestamp": made_at.isoformat(),
            "component": {"type": "application", "name": ROOT, "version": own.version, "bom-ref": ROOT},
        },
        "components": [
            {
                "type": "library", "name": one.name, "version": one.version, "bom-ref": f"pkg:pypi/{canonicalize_name(one.name)}@{one.version}",
                "purl": f"pkg:pypi/{canonicalize_name(one.name)}@{one.version}", "licenses": [{"license": {"name": one.licence or "unknown"}}],
            }
            for one in libraries
        ],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only judge the licences")
    libraries = delivered()
    if not parser.parse_args().check:
        print(json.dumps(bill(libraries, dt.datetime.now(dt.UTC)), indent=1))
        return
    wrong = [one for one in libraries if not one.is_fine]
    for one in wrong:
        print(f"{one.name} {one.version}: {one.licence or 'no licence named'}")
    print(f"{len(libraries)} libraries, {len(wrong)} with a licence that is not on the list.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
