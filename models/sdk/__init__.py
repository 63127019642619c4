"""What a custom model is: the contract, the tables that pass in and out, the card, the package. Needs numpy, pyarrow and PyYAML only."""

from models.sdk.card import ModelCard, read_card
from models.sdk.contract import Context, Detector, Explainer, Forecaster, Model, Saving

__all__ = ["Context", "Detector", "Explainer", "Forecaster", "Model", "ModelCard", "Saving", "read_card"]
