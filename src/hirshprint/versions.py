"""Versions that decide whether an earlier result still holds; raise one when its results change.

Kept apart so that the Snakefile reads them without importing numpy.
"""

READING = "2"  # what a structure file is read as: other atoms, another cell, a refusal, a remark
SURFACE_ALGORITHM = "3"  # vertices, distances or areas of the Python engine
TONTO_ALGORITHM = "1"  # the input that Tonto is given, or how its surface is read
SURFACE_FILES = "2"  # the arrays that a batch keeps of its surfaces: files of another version lie beside these
DENSITIES = "1"  # the table of free-atom densities
FINGERPRINT_FORMAT = "3"  # the layout or the counting of fingerprints.h5
CONTACT_FORMAT = "1"  # how contacts are made of surfaces, and their arrays
SPLITS = 2  # which rows a fold learns from, keeps for validation and tests; trainings of unchanged folds are kept
LEARNING_ALGORITHM = 7  # what a training of a network gives
MODEL_FORMAT = 4  # model.json, and the standard deviation to expect
RESULTS_FORMAT = "3"  # the files in results/, their names, columns or arrays: an older folder is refused
