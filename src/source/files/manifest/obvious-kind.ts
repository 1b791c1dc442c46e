/** The kind of a document, and its API version. */
export interface ObviousKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/**
 * Finds the kind of a document in block style without parsing it, if each of kind and apiVersion is obvious: one plain
 * word at the margin.
 *
 * @param body of one document, from its marker on if it has one
 */
export function obviousKind(body: string): ObviousKind | undefined {
  // Line breaks for a regular expression, and none for the parser: a comment goes on behind them.
  if (/\r(?!\n)|[\u2028\u2029]/.test(body)) return undefined;
  // Quotes, a `?`, a flow collection or a tag at the margin, or behind the marker, may be or hide another kind.
  if (/^(?:---[^\n\S]*[^\s#]|["'?{[<&*!|>])/m.test(body)) return undefined;
  // A document may begin behind the end of another one without a marker of its own, and be indented.
  const end = body.search(/^\.\.\.(?:\s|$)/m);
  if (end !== -1 && /^[^\r\n\u2028\u2029\S]*[^\s#]/m.test(body.slice(end + endMarker.length))) return undefined;
  const kinds = body.match(/^kind:.*/gm) ?? [];
  const versions = body.match(/^apiVersion:.*/gm) ?? [];
  const kind = /^kind: +(\w+)\s*$/.exec(kinds[0] ?? '')?.[1];
  const apiVersion = /^apiVersion: +([\w./-]+)\s*$/.exec(versions[0] ?? '')?.[1];
  if (kind === undefined || apiVersion === undefined || kinds.length + versions.length !== 2) return undefined;
  return { apiVersion, kind };
}

const endMarker = '...';
