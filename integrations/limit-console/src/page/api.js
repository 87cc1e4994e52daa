// Requests to the API.

/** The address of a part of the API, which lies beside this script: the page's own address may lack the slash at its end. */
export const api = path => new URL(`api/${path}`, import.meta.url).href;

/** Asks the server. Throws the server's words if it refuses. */
export async function ask(url, options = {}) {
  const answer = await fetch(url, { cache: 'no-store', ...options });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(body.error ?? `the server answered ${answer.status}`), { status: answer.status });
  return body;
}
