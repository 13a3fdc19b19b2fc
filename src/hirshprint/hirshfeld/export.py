"""Surfaces as files for other programs: VTP (ParaView), PLY (MeshLab, Blender) and glTF.

Positions are in Å in the Cartesian frame of the crystal (a along x, b in the xy plane). The three formats are simple
enough to be written with numpy, so that nothing here needs VTK or a graphics library.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hirshprint.files.writing import written_whole
from hirshprint.hirshfeld.surface import Surface
from hirshprint.structures.symbols import SYMBOLS

NOT_POINT_DATA = (
    *("vertices", "triangles", "operations", "centre"),
    *("inside_nuclei", "outside_nuclei", "outside_numbers", "outside_sites"),
)
GLTF_FLOAT, GLTF_UINT32 = 5126, 5125
GLTF_ARRAY, GLTF_INDICES = 34962, 34963


def point_data(surface: Surface) -> dict[str, NDArray[Any]]:
    """Every property that the surface has per vertex, by name: (n,) or (n, 3)."""
    return {
        name: value
        for name, value in vars(surface).items()
        if name not in NOT_POINT_DATA and isinstance(value, np.ndarray) and len(value) == len(surface.vertices)
    }


def write_vtp(surface: Surface, path: str | Path) -> None:
    """Write a closed mesh as VTK XML polygons: double precision, `point_data`, and the site's figures as field data.

    Field data: site_label, element, engine, density_source (text), multiplicity, centre (Å), area (Å²), volume
    (Å³), open_fraction.
    """
    count = len(surface.triangles)
    points = "".join(_vtk_array(name, values) for name, values in point_data(surface).items())
    text = {
        "site_label": surface.site_label,
        "element": SYMBOLS[surface.inside_number - 1],
        "engine": surface.engine,
        "density_source": surface.density_source,
    }
    numbers = {
        "multiplicity": np.array([surface.multiplicity]),
        "centre": surface.centre[None],
        "area": np.array([surface.area]),
        "volume": np.array([surface.volume]),
        "open_fraction": np.array([surface.open_fraction]),
    }
    fields = "".join(_vtk_text(name, value) for name, value in text.items())
    fields += "".join(_vtk_array(name, value, in_field=True) for name, value in numbers.items())
    document = (
        '<?xml version="1.0"?>\n'
        '<VTKFile type="PolyData" version="1.0" byte_order="LittleEndian" header_type="UInt64" '
        'compressor="vtkZLibDataCompressor">\n<PolyData>\n'
        f"<FieldData>\n{fields}</FieldData>\n"
        f'<Piece NumberOfPoints="{len(surface.vertices)}" NumberOfVerts="0" NumberOfLines="0" NumberOfStrips="0" '
        f'NumberOfPolys="{count}">\n'
        f'<PointData Scalars="d_e">\n{points}</PointData>\n'
        f"<Points>\n{_vtk_array('Points', surface.vertices)}</Points>\n"
        f"<Polys>\n{_vtk_array('connectivity', surface.triangles.reshape(-1))}"
        f"{_vtk_array('offsets', np.arange(3, 3 * count + 1, 3, dtype=np.int32))}</Polys>\n"
        "</Piece>\n</PolyData>\n</VTKFile>\n"
    )
    with written_whole(path) as temporary:
        temporary.write_text(document, encoding="ascii")


def _vtk_array(name: str, values: NDArray[Any], in_field: bool = False) -> str:
    kind = {"f": "Float", "u": "UInt", "i": "Int", "b": "UInt"}[values.dtype.kind] + str(8 * values.dtype.itemsize)
    data = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
    components = f' NumberOfComponents="{values.shape[1]}"' if values.ndim > 1 else ""
    tuples = f' NumberOfTuples="{len(values)}"' if in_field else ""
    parts = zlib.compress(data, level=1)
    header = np.array([1, len(data), len(data), len(parts)], dtype="<u8")  # one block, its sizes before and after
    packed = base64.b64encode(header.tobytes()).decode() + base64.b64encode(parts).decode()
    return f'<DataArray type="{kind}" Name="{name}"{components}{tuples} format="binary">{packed}</DataArray>\n'


def _vtk_text(name: str, text: str) -> str:
    codes = " ".join(str(code) for code in (*text.encode(), 0))
    return f'<Array type="String" Name="{name}" NumberOfTuples="1" format="ascii">{codes}</Array>\n'


def write_ply(surface: Surface, path: str | Path) -> None:
    """Write a closed mesh as binary PLY: single precision, normals, and every property as a scalar of the vertex."""
    columns: dict[str, NDArray[Any]] = dict(zip("xyz", surface.vertices.T, strict=True))
    columns |= dict(zip(("nx", "ny", "nz"), surface.normal.T, strict=True))
    for name, values in point_data(surface).items():
        if values.ndim == 1:
            columns[name] = values
        elif name != "normal":
            columns |= {f"{name}_{axis}": column for axis, column in zip("xyz", values.T, strict=True)}
    kinds = {name: ("<f4", "float") if values.dtype.kind == "f" else _PLY_INTEGERS[values.dtype.itemsize]
             for name, values in columns.items()}  # fmt: skip
    vertices = np.empty(len(surface.vertices), dtype=[(name, kind[0]) for name, kind in kinds.items()])
    for name, values in columns.items():
        vertices[name] = values
    triangles = np.empty(len(surface.triangles), dtype=[("count", "u1"), ("corners", "<i4", 3)])
    triangles["count"], triangles["corners"] = 3, surface.triangles
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"comment Hirshfeld surface of site {surface.site_label}; lengths in angstrom",
        f"element vertex {len(vertices)}",
        *(f"property {kind[1]} {name}" for name, kind in kinds.items()),
        f"element face {len(triangles)}",
        "property list uchar int vertex_indices",
        "end_header",
    ]
    with written_whole(path) as temporary:
        temporary.write_bytes("\n".join(header).encode() + b"\n" + vertices.tobytes() + triangles.tobytes())


_PLY_INTEGERS = {1: ("u1", "uchar"), 4: ("<i4", "int"), 8: ("<i4", "int")}


def write_gltf(surface: Surface, colours: NDArray[np.float64], path: str | Path, extras: Mapping[str, Any]) -> None:
    """Write a closed mesh as one self-contained glTF 2.0 file with vertex colours.

    The unit of glTF is the metre: here one stands for 1 Å (so says `asset.extras`). Properties with one number per
    vertex come along as attributes such as ``_D_E``.

    Parameters
    ----------
    surface : Surface
        A closed mesh.
    colours : ndarray of float64, (n, 3)
        sRGB, 0 to 1; the file has them linear, as glTF asks for.
    path : str or Path
        The file to write.
    extras : mapping
        More for `asset.extras`, for instance what the colours stand for.
    """
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    attributes = {"POSITION": surface.vertices, "NORMAL": surface.normal, "COLOR_0": linear}
    attributes |= {f"_{name.upper()}": v for name, v in point_data(surface).items() if v.ndim == 1}
    parts = [np.ascontiguousarray(values, dtype="<f4") for values in attributes.values()]
    parts.append(np.ascontiguousarray(surface.triangles, dtype="<u4").reshape(-1))
    accessors: list[dict[str, Any]] = []
    views: list[dict[str, Any]] = []
    offset = 0
    for k, part in enumerate(parts):
        indices = k == len(parts) - 1
        target = GLTF_INDICES if indices else GLTF_ARRAY
        views.append({"buffer": 0, "byteOffset": offset, "byteLength": part.nbytes, "target": target})
        accessor = {
            "bufferView": k,
            "componentType": GLTF_UINT32 if indices else GLTF_FLOAT,
            "count": len(part),
            "type": "VEC3" if part.ndim == 2 else "SCALAR",
        }
        if k == 0:
            accessor |= {"min": part.min(axis=0).tolist(), "max": part.max(axis=0).tolist()}
        accessors.append(accessor)
        offset += part.nbytes
    buffer = base64.b64encode(b"".join(part.tobytes() for part in parts)).decode()
    primitive = {
        "attributes": {name: k for k, name in enumerate(attributes)},
        "indices": len(attributes),
        "material": 0,
        "mode": 4,
    }
    document = {
        "asset": {
            "version": "2.0",
            "generator": "hirshprint",
            "extras": {"unit": "1 glTF metre stands for 1 angstrom", "site": surface.site_label, **extras},
        },
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": surface.site_label}],
        "meshes": [{"name": surface.site_label, "primitives": [primitive]}],
        "materials": [{"pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.7}}],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": offset, "uri": f"data:application/octet-stream;base64,{buffer}"}],
    }
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(document), encoding="utf-8")
