// The limiter that is open, which the address of the page names.

export const opened = { name: null };

export const hashOf = name => `#name=${encodeURIComponent(name)}`;

/** Reads the limiter's name from the address. */
export const namedByAddress = () => new URLSearchParams(location.hash.slice(1)).get('name');
