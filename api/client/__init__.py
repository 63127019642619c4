"""A typed client of Querent's API for notebooks and programs.

>>> from api.client import Querent
>>> q = Querent("http://127.0.0.1:8080", key="qk_...")                                   # doctest: +SKIP
>>> q.ask("revenue by region last quarter compared to the year before").frame            # doctest: +SKIP
"""

from api.client.answers import Answer, Study
from api.client.client import Querent
from api.client.failures import ApiError, JobFailed, NotAnswered
from api.client.jobs import Job
from api.client.versions import ModelVersion

__all__ = ["Answer", "ApiError", "Job", "JobFailed", "ModelVersion", "NotAnswered", "Querent", "Study"]
