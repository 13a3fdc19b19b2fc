"""Types of what `hirshprint` gives when it is asked for."""

from hirshprint.api.functions import compare as compare
from hirshprint.api.functions import contacts as contacts
from hirshprint.api.functions import fingerprint as fingerprint
from hirshprint.api.functions import predict as predict
from hirshprint.api.functions import surfaces as surfaces

__version__: str
