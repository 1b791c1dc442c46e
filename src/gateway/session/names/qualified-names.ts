/** A tool, prompt or resource of a target: the target's name, and the name or URI that the target itself uses. */
export interface QualifiedName {
  readonly target: string;
  readonly name: string;
}

/** Formats `<target name>:<name>`: the name of a tool or prompt for clients, and of any thing in RBAC rules. */
export function qualify({ target, name }: QualifiedName): string {
  return `${target}:${name}`;
}

/**
 * Parses what {@link qualify} formats. Splits at the first colon, since a target name contains no colon, but a name in
 * it may. Returns `undefined` when there is no colon, or when one side of it is empty.
 */
export function unqualify(qualified: string): QualifiedName | undefined {
  const colon = qualified.indexOf(':');
  if (colon < 1 || colon === qualified.length - 1) return undefined;
  return { target: qualified.slice(0, colon), name: qualified.slice(colon + 1) };
}

/** Compares by UTF-8 bytes, for `sort`. JavaScript's own order is that of UTF-16 code units. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
