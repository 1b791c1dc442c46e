/** One thing of one target, by the name that the target itself gives it. */
export interface Qualified {
  readonly target: string;
  readonly name: string;
}

/** How clients see a tool or a prompt, and how rules name any thing: `<target name>:<name>`. */
export function qualify({ target, name }: Qualified): string {
  return `${target}:${name}`;
}

/**
 * The inverse of {@link qualify}. A target name has no colon and the name in it may have some, so the first one
 * separates. `undefined` when there is none, or nothing on one of its sides.
 */
export function unqualify(qualified: string): Qualified | undefined {
  const colon = qualified.indexOf(':');
  if (colon < 1 || colon === qualified.length - 1) return undefined;
  return { target: qualified.slice(0, colon), name: qualified.slice(colon + 1) };
}

/** The order of UTF-8 bytes, which is not that of JavaScript's strings. For `sort`. */
export function bytewise(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
