/** The answer of the server was an error: its sentence. */
export class ApiError extends Error {}

/**
 * Asks the debug endpoint.
 *
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
export async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (options?.signal?.aborted) throw error;
    throw new ApiError('The control plane does not answer: it may have stopped, or the port-forward has ended.');
  }
  const text = await response.text();
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new ApiError(`What answers is no gatehouse of this version (status ${response.status}).`);
  }
  if (!response.ok) throw new ApiError(String(answer.error ?? `status ${response.status}`));
  return answer;
}

/**
 * Writes a path with a query; empty values are left out.
 *
 * @param {string} path
 * @param {Readonly<Record<string, string | number | null | undefined>>} query
 */
export function withQuery(path, query) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? path : `${path}?${text}`;
}
