"""The pages: Jinja templates, htmx for what changes in place; asking and reading work without JavaScript."""
