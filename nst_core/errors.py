"""Every error that is the user's to mend; each message is one sentence that says what to do next."""


class NSTError(Exception):
    """Base of all errors whose text is written for the person at the screen."""


class ImageError(NSTError):
    """A picture that cannot or must not be read."""


class ConfigError(NSTError):
    """A setting outside its range."""


class WeightsError(NSTError):
    """Weights that are absent, damaged, or made for another network."""


class RunError(NSTError):
    """A run that could not produce a picture."""
