"""The errors that scripts written for wandb catch, under the names they know.

Error
├── UsageError            called wrongly, or asked for what cannot be here
│   └── ArtifactNotLoggedError  asked of an artifact before it was logged
├── CommError             what a server would have answered: no such run
│   └── AuthenticationError     never raised: there is nobody to log in to
├── ConfigError           a value of the config was changed without leave
└── NotHereError          a name of wandb that has no counterpart (AttributeError)
"""

from __future__ import annotations

from nbtrack.errors import NbtrackError


class Error(NbtrackError):
    """The root of what this package raises."""


class UsageError(Error):
    """It was called wrongly, or asked for what cannot be done without a server."""


class ArtifactNotLoggedError(UsageError, AttributeError):
    """What only a logged artifact has was asked of one that is not."""


class CommError(Error):
    """There is no such run, artifact or file in the store."""


class AuthenticationError(CommError):
    """Never raised; scripts catch it around `login()`."""


class ConfigError(Error):
    """A value of the config was changed without `allow_val_change`."""


class NotHereError(Error, AttributeError):
    """A name of wandb that has no counterpart here; the message has what to use."""
