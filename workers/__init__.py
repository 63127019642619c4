"""Long work outside the API's process: Celery carries messages, the job row is the truth, plain functions in `jobs/` do the work."""
