"""What is sent to the API and answered by it."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """One kind of document; a key that is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
