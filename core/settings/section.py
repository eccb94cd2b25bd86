"""A table of config.toml."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of config.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")
