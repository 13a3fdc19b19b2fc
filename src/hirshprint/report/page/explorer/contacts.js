// The contacts of a compound: which atoms the surface of each of its sites faces, how far away, with what area.
import { make } from "./dom.js";
import { downloads, saveTable } from "./downloads.js";

export const siteName = ({ label, element }) => (label.startsWith(element) ? label : `${label} (${element})`);

// Sites of a compound with their contacts, the largest first.
export function contactsOf({ arrays, data, siteStarts, contactStarts }, i) {
  const rows = (starts, at) => Array.from({ length: starts[at + 1] - starts[at] }, (_, n) => starts[at] + n);
  return rows(siteStarts, i).map(s => {
    const area = arrays.site_area[s] / 100;
    return {
      label: data.site_labels[arrays.site_label[s]], element: ELEMENTS[arrays.site_number[s] - 1],
      multiplicity: arrays.site_multiplicity[s], area,
      contacts: rows(contactStarts, s).map(c => {
        const share = arrays.contact_share[c] / 65535;
        const [met, atoms, distance] = [arrays.contact_site[c], arrays.contact_atoms[c], arrays.contact_distance[c]];
        return { met, atoms, distance: distance / 1000, share, area: share * area };
      }),
    };
  });
}

export const percent = share => `${(100 * share).toFixed(1)} %`;

function rowsOf(site, sites) {
  const own = () => make("th", { scope: "rowgroup", rowspan: site.contacts.length }, siteName(site));
  return site.contacts.map((contact, n) => make("tr", {},
    ...(n ? [] : [own()]),
    make("td", {}, siteName(sites[contact.met])),
    ...[contact.atoms, contact.distance.toFixed(3), contact.area.toFixed(2), percent(contact.share)]
      .map(text => make("td", { class: "n" }, String(text)))));
}

export function writeContacts(ds) {
  const sites = contactsOf(ds, ds.state.compound);
  const table = ds.find("contacts");
  while (table.tBodies.length) table.tBodies[0].remove();
  table.append(...sites.map(site => make("tbody", {}, ...rowsOf(site, sites))));
  const held = sites.map(site => site.contacts.reduce((sum, contact) => sum + contact.share, 0));
  const least = Math.min(...held, 1);
  ds.find("contact-text").textContent = least > 0.995 ? ""
    : `The largest contacts of this structure; those of a site that are listed cover at least ${percent(least)} of it.`;
}

export function offerContacts(ds) {
  const { names, data, state } = ds;
  const header = ["structure_id", "site", "element", "multiplicity", "met_site", "met_element", "atoms",
    "distance_angstrom", "area_angstrom2", "share"];
  const table = () => {
    const sites = contactsOf(ds, state.compound), id = data.structure_ids[state.compound];
    const rows = sites.flatMap(({ label, element, multiplicity, contacts }) => contacts.map(c => [
      id, label, element, multiplicity, sites[c.met].label, sites[c.met].element, c.atoms, c.distance, c.area, c.share,
    ]));
    saveTable(header, rows, `${names[state.compound]}-contacts.csv`);
  };
  ds.find("contact-bar").append(downloads({ CSV: table }));
}
