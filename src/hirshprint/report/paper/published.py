"""The numbers of the paper.

Williams, Mukherjee, Rajan, J. Phys. Chem. Lett. 2020, 11, 7462 (doi 10.1021/acs.jpclett.0c02201).
"""

from __future__ import annotations

from hirshprint.baselines.registry import CPANN
from hirshprint.networks.registry import CGCNN, CNN_PAPER

ROLES = {
    "oqmd": "OQMD, random edge",
    "experimental": "experimental",
    "second_experimental": "second experimental",
    "estimated_edge": "OQMD, estimated edge",
}


# Table 1 of the paper: what was learned from what, its test r², MAE (Å), MSE (Å²); then the role and the model here,
# CNN_PAPER for either of the authors' networks.
TABLE1 = (
    ("CGCNN", 0.9483, 0.0402, 0.00402, "oqmd", CGCNN),
    ("fingerprint + CNN, OQMD, random edge", 0.9745, 0.0333, 0.00198, "oqmd", CNN_PAPER),
    ("fingerprint + CNN, experimental, edge 4.5 Å", 0.9939, 0.0221, 0.00110, "experimental", CNN_PAPER),
    ("CPANN, experimental", 0.9312, 0.0853, 0.01231, "experimental", CPANN),
)


PARAMETERS = 1_227_041
"""Of the network, as the authors' public repository lists its layers (MatInfoUB/ahsfp, commit a053250)."""


# Limits of d_i and d_e over the surfaces of PuCuO3 at the edge of the paper's Fig. 1, Å.
FIGURE1_COMPOUND = "PuCuO3-a3.52582"


FIGURE1 = {"d_i_min": 0.8425, "d_i_max": 1.5890, "d_e_min": 0.8684, "d_e_max": 1.8699}


METRICS = (("r2", "r²", ""), ("mae", "MAE", "Å"), ("mse", "MSE", "Å²"))
