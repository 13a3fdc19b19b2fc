"""What the help of each command says below its arguments: what comes out, and examples (light)."""

from __future__ import annotations

EPILOGS = {
    "": """examples:
  hirshprint init structures                         look at your crystals, write config/mine.yaml for a run
  hirshprint surface SrTiO3.cif --out surfaces       meshes, a picture and a table of the sites
  hirshprint fingerprint SrTiO3 --edge 3.905 --out SrTiO3.h5 --picture SrTiO3.png
  hirshprint compare SrTiO3.h5 BaTiO3.cif --picture difference.png
  hirshprint check structures                        what each file is read as, or what is wrong with it
  hirshprint predict SrTiO3 --model results/experimental/models
  hirshprint status                                  which structures are new, changed, failed, remarked or rejected
  hirshprint recover                                 after a killed run: then run snakemake again

each command has its own --help; so that the Tab key completes commands, options and files in every new shell:
  bash   hirshprint --print-completion bash > ~/.local/share/bash-completion/completions/hirshprint
  zsh    hirshprint --print-completion zsh > FOLDER/_hirshprint, FOLDER being one of $fpath""",
    "init": """PATH is a folder of structure files, a CSV table of compositions, or one file of many crystals (.jsonl,
.json, .extxyz, .db, .csv with CIFs). For a folder, the values of the property come from a CSV table with a column
structure_id; it is looked for in the folder, beside it and here. The command says how many crystals there are, which
columns or fields have numbers, and what would be rejected. It goes through all rows and records, and reads up to 100
crystals as a run reads them. It proposes property, unit, scale and group, and writes them into a configuration that
explains its keys. Read that: a unit is guessed only from names such as gap_ev. An existing file is never replaced.

examples:
  hirshprint init structures
  hirshprint init compounds.csv --out config/compounds.yaml
  hirshprint init crystals.jsonl.gz --out config/crystals.yaml""",
    "surface": """what is written into DIR, for every distinct site:
  SITE.vtp       all properties as point data, double precision, for ParaView and PyVista: d_i, d_e, d_norm (with
                 the radii at which the free atoms have 0.001 e/bohr³), inside_species, outside_species,
                 outside_index (row of the atom), normal, curvedness, shape_index
  SITE.ply       the same as scalars of the vertices, single precision
  SITE.gltf      d_e as vertex colours; one metre of glTF is 1 Å
and for the structure:
  sites.csv      area Å², volume Å³, sphericity, ranges of d_i and d_e in Å, shares of contact with each
                 element; mesh_level of the files: 48 (1e-4 Å off) up to 8 sites, coarser for more, 16 at least
  contacts.csv   who meets whom: for each site the patches of its surface by the site that they face and its
                 distance, with their area, share, means and deviations of d_i and d_e
  contacts.png   the same as bars
  surfaces.png   atoms, surfaces and fingerprint; left out, with the reason, where OpenGL does not work
Positions are Cartesian, in Å, with a along x and b in the xy plane. Sites are named as in the CIF if its labels
are different, else Ti1, O1, O2 ...; A, B and X for a formula. What an earlier call wrote into DIR is replaced.

examples:
  hirshprint surface SrTiO3.cif --out surfaces
  hirshprint surface POSCAR --out surfaces --densities x2c
  hirshprint surface crystals.jsonl:mp-5229 --out surfaces
  hirshprint surface SrTiO3 --edge 3.905 --out surfaces""",
    "fingerprint": """h5py is enough to open the file; results/README.md lists its contents. Its channels are `total`,
one for each distinct site, `anion` and `cation`. The picture shows d_i to the right and d_e upwards. It has a panel for
every contact (element inside → nearest element outside) with its share of the area of all atoms. Surfaces have mesh
level 10, the default of a run.

examples:
  hirshprint fingerprint SrTiO3.cif --out SrTiO3.h5 --picture SrTiO3.png
  hirshprint fingerprint PuCuO3 --edge 3.52582 --weighting paper --out PuCuO3.h5""",
    "compare": """A and B are each a structure file, FILE:ID of a file of many crystals, a formula ABX3 (both at --edge)
or a fingerprint file; FILE.h5:STRUCTURE_ID names one of several structures in it. If one is a file, the other
is computed with its bins and weighting. Each fingerprint (all atoms) is scaled to a sum of one. L1 is the sum of the
differences, from 0 to 2. The earth mover's distance is the mean distance in Å that area has to move in the plane of d_i
and d_e to turn one into the other.

examples:
  hirshprint compare SrTiO3.cif CaTiO3.cif --picture difference.png
  hirshprint compare SrTiO3.h5 BaTiO3 --edge 4.0 --json
  hirshprint compare results/experimental/fingerprints.h5:SrTiO3-a4.50000 SrTiO3""",
    "check": """PATH is a folder, a file of many crystals (.jsonl, .json, .extxyz, .csv ...), or a structure file; give
one or several. Nothing is computed: each crystal is read as a run would read it, and shown with formula, space group
(of the atoms as they are, whatever the file says), atoms in the cell, shortest distance, and remarks on what was
assumed or corrected. Rejected crystals follow, with reason and remedy. T.csv has all this and the cell constants. The
exit code is 1 if any crystal is rejected.

examples:
  hirshprint check structures --csv read.csv
  hirshprint check crystals.jsonl.gz --json
  hirshprint check SrTiO3.cif POSCAR""",
    "predict": """DIR is results/DATASET/models of a run; without it, the models that come with hirshprint. The network
with the lowest validation error is used, or that of --network, averaged over all its folds and seeds. Surfaces and
fingerprints are made as the model's card says; a model that this version of hirshprint cannot use is refused. Formulas
get the prototype of the training; so do the files of --cif that are crystals of it (their own geometry is not used). If
the model learned from files, the files are used as they are.

Columns of the result: name, formula, elements by site, a_predicted_angstrom and a_std_angstrom (named after the
property; std is the standard deviation to expect), a_spread_angstrom (between the networks), unseen (elements that
training had on no such site), fingerprint_distance (to the nearest fingerprint of the training, in units of what is
usual there), outside_domain (an unseen element, or that distance above 1). in_training (it learned from
this compound). The value of a compound outside is a guess.

examples:
  hirshprint predict SrTiO3 BaZrO3 --json
  hirshprint predict SrTiO3 --model results/experimental/models --network cgcnn
  hirshprint predict --table compounds.csv --model results/oqmd/models --out predictions.csv
  hirshprint predict --cif structures --model results/mine/models --out predictions.json
  hirshprint predict --cif crystals.jsonl.gz --model results/mine/models --out predictions.csv""",
    "recover": """It ends the jobs that a killed run left in this folder, also those that wait or run in SLURM,
and clears its lock; what has been computed is kept. With --failed, the next run computes structures again that failed
or were given up.

examples:
  hirshprint recover
  hirshprint recover --failed""",
    "status": """It compares the input with the results, structure by structure, and asks Snakemake what the next run
would make: the last line says how many jobs of each rule, or that the results are up to date. Nothing is changed.
With --json the structures that are not done are listed, each with its state and reason, and the others only counted.

examples:
  hirshprint status
  hirshprint status --configfile config/mine.yaml
  hirshprint status --configfile config/matbench.yaml mine.yaml
  hirshprint status --configfile config/mine.yaml --json""",
}
