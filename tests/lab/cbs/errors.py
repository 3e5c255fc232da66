"""The refusals of the emulated cloud, by the codes that CBS documents."""


class ApiError(Exception):
    """A refusal: the caller gets its code and message, and nothing was done."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class StartError(Exception):
    """The emulator can't start; the message says what is in its way."""
