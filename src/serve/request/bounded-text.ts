/**
 * Truncates text that a peer sent to `limit` characters, for a log, a status or an error message. A truncated text ends
 * in `…`. Lone surrogates, which UTF-8 cannot encode, are replaced.
 */
export function bounded(text: string, limit: number): string {
  return (text.length <= limit ? text : `${text.slice(0, limit - 1)}…`).toWellFormed();
}
