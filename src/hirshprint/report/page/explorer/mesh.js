// Surfaces as triangles: the wedge that the page holds of a site, its images, and its patches.
import { sitesOf } from "./dataset.js";

const SAME = 1e-3; // Å, by which the distances of nuclei of one contact may differ

// First vertex and first nucleus outside of each compound's sites.
export function findMeshes(ds) {
  Object.assign(ds, { meshStarts: {}, nucleiStarts: {} });
  let vertices = 0, nuclei = 0;
  for (const i of ds.data.mesh_order) {
    ds.meshStarts[i] = sitesOf(ds, i).map(site => (vertices += site.vertices) - site.vertices);
    ds.nucleiStarts[i] = sitesOf(ds, i).map(site => (nuclei += site.nuclei) - site.nuclei);
  }
}

// The wedge of a site as the page holds it: points (x, y, z about the nucleus, d_i, d_e, in Å), triangles, operations.
function wedgeOf({ arrays, meshStarts }, site, i, k) {
  const first = meshStarts[i][k], n = site.vertices;
  const part = (name, row) => {
    const offsets = arrays[`mesh_${name}_offsets`];
    return arrays[`mesh_${name}`].subarray(offsets[row], offsets[row + 1]);
  };
  const distance = ([low, high], at) => low + (arrays.mesh_d[at] / 65535) * (high - low);
  const point = (_, v) => [
    ...[0, 1, 2].map(c => arrays.mesh_xyz[3 * (first + v) + c] * site.scale),
    distance(site.d_i, 2 * first + v), distance(site.d_e, 2 * first + n + v),
  ];
  return {
    points: Array.from({ length: n }, point),
    triangles: part("triangles", site.triangles),
    operations: part("operations", site.operations),
  };
}

const determinant = r =>
  r[0] * (r[4] * r[8] - r[5] * r[7]) - r[1] * (r[3] * r[8] - r[5] * r[6]) + r[2] * (r[3] * r[7] - r[4] * r[6]);

// Images of a wedge under its operations, vertices of the seams taken for one.
function imagesOf({ points, triangles, operations }) {
  const mesh = { x: [], y: [], z: [], i: [], j: [], k: [], d_i: [], d_e: [] };
  const rowOf = new Map(), rows = new Uint32Array(points.length);
  for (let o = 0; o < operations.length; o += 9) {
    const r = operations.subarray(o, o + 9);
    points.forEach(([x, y, z, d_i, d_e], v) => {
      const image = [0, 3, 6].map(c => r[c] * x + r[c + 1] * y + r[c + 2] * z);
      const seam = image.map(c => Math.round(c * 500)).join();
      if (!rowOf.has(seam)) {
        rowOf.set(seam, mesh.x.length);
        mesh.x.push(image[0]);
        mesh.y.push(image[1]);
        mesh.z.push(image[2]);
        mesh.d_i.push(d_i);
        mesh.d_e.push(d_e);
      }
      rows[v] = rowOf.get(seam);
    });
    const proper = determinant(r) > 0; // else the image is a mirror one, and its triangles turn round
    for (let c = 0; c < triangles.length; c += 3) {
      const [a, b, d] = [rows[triangles[c]], rows[triangles[c + 1]], rows[triangles[c + 2]]];
      mesh.i.push(a);
      mesh.j.push(proper ? b : d);
      mesh.k.push(proper ? d : b);
    }
  }
  return mesh;
}

// The closed mesh of a site.
export const meshOf = (ds, i, k) => imagesOf(wedgeOf(ds, sitesOf(ds, i)[k], i, k));

// Nuclei that the wedge of a site faces: place, site, and number of the contact, those of one site and distance.
function nucleiOf({ arrays, nucleiStarts }, site, i, k) {
  const first = nucleiStarts[i][k];
  const nuclei = Array.from({ length: site.nuclei }, (_, n) => {
    const place = [0, 1, 2].map(c => arrays.mesh_nuclei[3 * (first + n) + c]);
    return { place, site: arrays.mesh_nuclei_site[first + n], distance: Math.hypot(...place) };
  });
  nuclei.sort((a, b) => a.site - b.site || a.distance - b.distance);
  nuclei.forEach((nucleus, n) => {
    const before = nuclei[n - 1];
    const same = before && before.site === nucleus.site && nucleus.distance - before.distance < SAME;
    nucleus.contact = (before?.contact ?? -1) + (same ? 0 : 1);
  });
  return nuclei;
}

const square = (p, { place: [x, y, z] }) => (p[0] - x) ** 2 + (p[1] - y) ** 2 + (p[2] - z) ** 2;

// What of a polygon is nearer to one nucleus than to all others: cut along the planes half way between them.
function nearestPart(polygon, own, nuclei) {
  let points = polygon;
  for (const other of nuclei) {
    if (other === own) continue;
    const nearer = points.map(p => square(p, other) - square(p, own));
    points = points.flatMap((a, n) => {
      const m = (n + 1) % points.length, b = points[m], share = nearer[n] / (nearer[n] - nearer[m]);
      const cut = nearer[n] * nearer[m] < 0 ? [a.map((value, c) => value + share * (b[c] - value))] : [];
      return nearer[n] >= 0 ? [a, ...cut] : cut;
    });
  }
  return points.map(p => [...p.slice(0, 4), Math.sqrt(square(p, own))]);
}

function addPart(patch, part) {
  const first = patch.points.length;
  patch.points.push(...part);
  for (let n = 2; n < part.length; n++) patch.triangles.push(first, first + n - 1, first + n);
}

// The closed surface of a site in parts, one for each contact: the site that it faces, its distance (Å), its mesh.
export function patchesOf(ds, i, k) {
  const site = sitesOf(ds, i)[k], { points, triangles, operations } = wedgeOf(ds, site, i, k);
  const nuclei = nucleiOf(ds, site, i, k), patches = [];
  for (const nucleus of nuclei) patches[nucleus.contact] ??= { ...nucleus, points: [], triangles: [], operations };
  const nearest = points.map(p => nuclei.reduce((a, b) => (square(p, b) < square(p, a) ? b : a)));
  for (let c = 0; c < triangles.length; c += 3) {
    const corners = [...triangles.subarray(c, c + 3)], found = new Set(corners.map(v => nearest[v]));
    for (const own of found.size === 1 ? found : nuclei) {
      const polygon = corners.map(v => points[v]);
      addPart(patches[own.contact], found.size === 1 ? polygon : nearestPart(polygon, own, nuclei));
    }
  }
  const filled = patches.filter(patch => patch.triangles.length);
  return filled.map(({ site: met, distance, ...patch }) => ({ met, distance, mesh: imagesOf(patch) }));
}
