from pathlib import Path

from api.cli.settings_reference import reference


def test_the_page_is_what_the_settings_say() -> None:
    page = Path(__file__).parents[3] / "docs" / "settings.md"
    assert page.read_text() == reference(), "make it anew: python -m api.cli.settings_reference > docs/settings.md"
