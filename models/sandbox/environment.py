"""The whole environment of sandboxed code: no setting and no secret of ours is in it."""

from __future__ import annotations


def clean_environment() -> dict[str, str]:
    """One thread per library, so that time and results do not depend on the machine; a home that is the scratch folder."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "HOME": "/scratch",
        "TMPDIR": "/scratch",
        "USER": "model",
        "LOGNAME": "model",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "NUMEXPR_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "true",
    }
