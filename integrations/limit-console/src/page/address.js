// The address of the page. After its # it names the limiter that is open, and the reader's choices for the table.

/** The parameters, in the order in which the address has them. */
const NAMES = ['name', 'kind', 'sort', 'filter'];

/** Reads a parameter; null if the address has none. */
export const parameter = name => new URLSearchParams(location.hash.slice(1)).get(name);

/** Returns the address with other values of some parameters, from its # on. A parameter without a value is left out. */
export function addressWith(changes) {
  const now = new URLSearchParams(location.hash.slice(1));
  const wanted = new URLSearchParams();
  for (const name of NAMES) {
    const value = name in changes ? changes[name] : now.get(name);
    if (value !== null && value !== '') wanted.set(name, value);
  }
  return wanted.size === 0 ? location.pathname + location.search : `#${wanted}`;
}
