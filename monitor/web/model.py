"""What is sent to the API and answered by it."""

from pydantic import ConfigDict

from monitor.schema import Described


class Model(Described):
    """One kind of document; a key that is not known is refused."""

    # Built when one is first needed: all of them are 3 MB, and most pages are never opened.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
