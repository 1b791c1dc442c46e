/**
 * At most `limit` characters of a text that somebody else wrote, for a log, a status or an error message. What is cut
 * off is said to be; half a surrogate pair, which cannot be sent, does not remain.
 */
export function bounded(text: string, limit: number): string {
  return (text.length <= limit ? text : `${text.slice(0, limit - 1)}…`).toWellFormed();
}

/** A bounded text in quotes, with control characters escaped. */
export function quoted(text: string): string {
  return JSON.stringify(bounded(text, 120));
}
