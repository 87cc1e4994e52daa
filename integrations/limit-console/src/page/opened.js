// The limiter that is open, which the address of the page names.

import { addressWith, parameter } from './address.js';

export const opened = { name: null };

/** Returns the address of the page with a limiter open. */
export const hashOf = name => addressWith({ name });

/** Reads the limiter's name from the address. */
export const namedByAddress = () => parameter('name');
